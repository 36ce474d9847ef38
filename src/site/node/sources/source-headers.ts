import { z } from "zod";
import type { ContractSource, ContractSourceHeader, Schema, Variables } from "../../../contract/index.ts";
import { siteError } from "../../errors.ts";
import { nameOf } from "./connect.ts";

/**
 * The headers that a source is sent, its secrets in them.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_FAILED` naming the variable that is not set, never a value
 */
export function headersOf(
  { headers, url }: ContractSource,
  schemas: ReadonlyMap<string, Schema>,
  variables: Variables,
): Record<string, string> {
  return Object.fromEntries(headers.map((header) => [header.name, valueOf(header, url, schemas, variables)]));
}

function valueOf(
  { text, variable, user }: ContractSourceHeader,
  url: URL,
  schemas: ReadonlyMap<string, Schema>,
  variables: Variables,
): string {
  if (variable === undefined) return text;
  const schema = schemas.get(variable);
  const value = schema === undefined ? undefined : z.safeParse(schema, variables[variable]);
  const secret = value?.success === true ? String(value.data) : "";
  // RFC 7617 §2.1: UTF-8; of others a header can hold no more than this.
  if (user !== undefined && secret !== "" && !/\p{Cc}/u.test(secret))
    return text + new TextEncoder().encode(`${user}:${secret}`).toBase64();
  if (user === undefined && /^[\u0021-\u007e]+$/.test(secret)) return text + secret;
  throw siteError(
    "SITE_SOURCE_FAILED",
    `what it is sent, the variable ${variable}, is not set, or not as privateEnv says.`,
    { place: { file: nameOf(url) }, hint: `Set ${variable} where this runs` },
  );
}
