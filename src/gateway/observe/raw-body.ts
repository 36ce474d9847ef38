import type { ContractRoute } from "../../contract/index.ts";
import { parseJsonBody } from "../../shared/index.ts";
import { isReadable } from "./readable.ts";

/** A body that its schema refuses, as it goes on; undefined: servers would read it in different ways, or it is too much. */
export type RawBody = (bytes: Uint8Array) => { readonly value: unknown } | undefined;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Compiles {@link RawBody}. JSON stays within its limits: no key twice, none that reaches for a prototype. */
export function compileRawBody({ bodyType, jsonLimits }: ContractRoute): RawBody {
  if (bodyType === "form") return readForm;
  return (bytes) => {
    const json = parseJsonBody(bytes, jsonLimits);
    return json.fault === undefined ? { value: json.value } : undefined;
  };
}

function readForm(bytes: Uint8Array): { readonly value: string } | undefined {
  try {
    const text = decoder.decode(bytes);
    return isReadable(text) ? { value: text } : undefined;
  } catch {
    return undefined;
  }
}
