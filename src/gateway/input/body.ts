import { z } from "zod";
import type { ContractRoute, Schema } from "../../contract/index.ts";
import { parseJsonBody, formatPairs } from "../../shared/index.ts";
import type { JsonFault } from "../../shared/index.ts";
import { createExactCheck } from "./exact-check.ts";
import { compilePairs } from "./texts.ts";
import { refuseInput, refuseIssues } from "../answers/refusal.ts";
import { pointer } from "../answers/response-contract.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { GatewayRequest } from "../types.ts";

/** A body that was read: what its schema made of it (of an upstream's form, the form written anew), or why it is refused. */
export type CheckedBody =
  | { readonly refusal: undefined; readonly value: unknown }
  | { readonly refusal: Refusal; readonly value: undefined };

/** The body of a route: what it must say it is, and how it is held to its schema. */
export interface BodyCheck {
  /** Tells whether a body says that it is of the route's type, in UTF-8, not compressed. */
  isOfType(request: GatewayRequest): boolean;
  check(bytes: Uint8Array): CheckedBody;
}

const types = {
  json: { plain: "application/json", full: /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i },
  form: {
    plain: "application/x-www-form-urlencoded",
    full: /^application\/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?$/i,
  },
} as const;

/** Compiles {@link BodyCheck}; undefined if the route takes no body. */
export function compileBody(route: ContractRoute): BodyCheck | undefined {
  const { body, bodyType } = route;
  if (body === undefined) return undefined;
  const { plain, full } = types[bodyType];
  return {
    isOfType(request) {
      const type = request.header("content-type");
      if (type === undefined || !(type === plain || full.test(type))) return false;
      // What a compressed body holds is not known until it was unpacked, and a small one may hold gigabytes.
      const encoding = request.header("content-encoding");
      return encoding === undefined || encoding === "identity";
    },
    check: bodyType === "form" ? compileForm(body, route) : compileJson(body, route),
  };
}

function compileJson(schema: Schema, { jsonLimits }: ContractRoute): BodyCheck["check"] {
  const isExact = createExactCheck(schema);
  return (bytes) => {
    const json = parseJsonBody(bytes, jsonLimits);
    if (json.fault !== undefined) return refused(refuseInput(pointer(json.at), faultWords[json.fault]));
    if (isExact?.(json.value)) return { refusal: undefined, value: json.value };
    const checked = z.core.safeParse(schema, json.value);
    return checked.success
      ? { refusal: undefined, value: checked.data }
      : refused(refuseIssues("", checked.error.issues));
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A form is ASCII, whatever it holds: what is beyond that is escaped (WHATWG URL §5.2). */
const unescapedForm = /[^!-~]|[<>"]/;

/** Written anew for an upstream; a function is given values. */
function compileForm(schema: Schema, { to }: ContractRoute): BodyCheck["check"] {
  const keepsValues = to.startsWith("fn:");
  const check = compilePairs(schema, "");
  return (bytes) => {
    const text = decodeForm(bytes);
    if (text === undefined) return refused(refuseInput("", "It is not a URL-encoded form in UTF-8"));
    const checked = check(text);
    return checked.refusal === undefined
      ? { refusal: undefined, value: keepsValues ? checked.data : formatPairs(checked.texts) }
      : refused(checked.refusal);
  };
}

function decodeForm(bytes: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(bytes);
    return unescapedForm.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const refused = (refusal: Refusal): CheckedBody => ({ refusal, value: undefined });

const faultWords: Readonly<Record<JsonFault, string>> = {
  malformed: "It is not JSON in UTF-8",
  "duplicate-key": "An object names a key twice",
  "too-deep": "It is nested too deeply",
  "too-many-members": "It has too many members",
  "too-many-elements": "It has too many elements",
  "text-too-long": "A text in it is too long",
  "forbidden-key": "A key is not allowed",
  "inexact-number": "A number in it has more digits than can be kept; send it as a text",
  "broken-text": "A text in it holds half a character, or U+0000",
};
