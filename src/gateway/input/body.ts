import { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import { createExactCheck } from "./exact-check.ts";
import { parseJsonBody } from "./json-body.ts";
import { refuseInput, refuseIssues } from "../answers/refusal.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { BodyError, GatewayRequest } from "../types.ts";

/** A body that was read: what its schema made of it, or why it is refused. */
export type CheckedBody =
  | { readonly refusal: undefined; readonly value: unknown }
  | { readonly refusal: Refusal; readonly value: undefined };

/** Parses a body and holds it to a schema. */
export type BodyCheck = (bytes: Uint8Array) => CheckedBody;

const jsonType = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;

/** Tells whether a body says that it is JSON in UTF-8, not compressed. */
export function hasJsonBody(request: GatewayRequest): boolean {
  const type = request.header("content-type");
  if (type === undefined || !(type === "application/json" || jsonType.test(type))) return false;
  const encoding = request.header("content-encoding");
  return encoding === undefined || encoding === "identity";
}

/** Why a body that could not be read is refused. */
export function refuseUnread(error: BodyError): Refusal {
  switch (error) {
    case "aborted":
      // Nobody waits for this answer, but the server waits for the call.
      return { code: "GATEWAY_INPUT_INVALID", reason: "the client went away" };
    case "timeout":
      return { code: "GATEWAY_BODY_TIMEOUT" };
    case "too-large":
      return { code: "GATEWAY_BODY_TOO_LARGE" };
  }
}

/** Compiles {@link BodyCheck} for a schema. */
export function compileBodyCheck(schema: Schema): BodyCheck {
  const isExact = createExactCheck(schema);
  return (bytes) => {
    const json = parseJsonBody(bytes);
    if (json.fault !== undefined)
      return { refusal: refuseInput("", jsonFaults[json.fault]), value: undefined };
    if (isExact?.(json.value)) return { refusal: undefined, value: json.value };
    const checked = z.core.safeParse(schema, json.value);
    return checked.success
      ? { refusal: undefined, value: checked.data }
      : { refusal: refuseIssues("", checked.error.issues), value: undefined };
  };
}

const jsonFaults = {
  malformed: "It is not JSON in UTF-8",
  "duplicate-key": "An object names a key twice",
  "too-deep": "It is nested too deeply",
  "forbidden-key": "A key is not allowed",
} as const;
