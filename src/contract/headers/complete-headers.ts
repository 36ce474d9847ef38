import { baseSecurityHeaders, inertPolicy } from "./security-headers.ts";
import type { Header } from "./security-headers.ts";

/**
 * The headers with which a file of a release is sent, whoever sends it: its own, and the security headers that it does not bring; one
 * without a policy gets the policy of what no browser should render.
 *
 * @param headers the file's own, names in lower case
 * @param varies whether it is sent in one of several encodings, as the request wants it
 */
export function completeHeaders(headers: readonly Header[], varies: boolean): Header[] {
  const names = new Set(headers.map(([name]) => name));
  const complete: Header[] = [...headers];
  if (!names.has("content-security-policy")) complete.push(["content-security-policy", inertPolicy]);
  complete.push(...baseSecurityHeaders.filter(([name]) => !names.has(name)));
  return varies ? varyByEncoding(complete) : complete;
}

function varyByEncoding(headers: readonly Header[]): Header[] {
  const at = headers.findIndex(([name]) => name === "vary");
  const value = headers[at]?.[1];
  if (value === undefined) return [...headers, ["vary", "accept-encoding"]];
  if (/accept-encoding|\*/i.test(value)) return [...headers];
  return headers.with(at, ["vary", `${value}, accept-encoding`]);
}
