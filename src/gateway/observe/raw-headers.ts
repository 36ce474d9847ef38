import { memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { formatCookies, parseCookies } from "../input/cookies.ts";
import { isPlainHeader } from "../input/headers.ts";
import type { GatewayRequest } from "../types.ts";

/** The declared headers and cookies of a request that their schemas refuse; undefined: a server could take one for another. */
export type RawHeaders = (request: GatewayRequest) => readonly string[] | undefined;

/** Compiles {@link RawHeaders}. What is not declared does not go on here either. */
export function compileRawHeaders({ headers, cookies }: ContractRoute): RawHeaders {
  const names = headers === undefined ? [] : memberNames(headers);
  const cookieNames = new Set(cookies === undefined ? [] : memberNames(cookies));
  return (request) => {
    const list: string[] = [];
    for (const name of names) {
      const value = request.header(name);
      if (value === undefined) continue;
      if (!isPlainHeader(value)) return undefined;
      list.push(name, value);
    }
    const given = cookieNames.size === 0 ? {} : parseCookies(request.header("cookie"), cookieNames);
    const cookie = given === undefined ? undefined : formatCookies(given);
    if (cookie === undefined) return undefined;
    return cookie === "" ? list : [...list, "cookie", cookie];
  };
}
