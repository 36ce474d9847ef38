import type { ContractApiKeys } from "../../contract/index.ts";
import type { GatewayRequest } from "../types.ts";

/** Reads the API key that a request brings; undefined: it brings none. */
export type ReadKey = (request: GatewayRequest) => string | undefined;

const scheme = /^ApiKey /i;

/** Compiles {@link ReadKey} for the header that the contract declares. No other place is ever looked at. */
export function compileReadKey({ header }: Pick<ContractApiKeys, "header">): ReadKey {
  if (header === "x-api-key") return (request) => request.header("x-api-key");
  return (request) => {
    const given = request.header("authorization");
    return given !== undefined && scheme.test(given) ? given.slice("ApiKey ".length) : undefined;
  };
}

/** What begins like one of our keys. */
const keyInText = /cwk_[0-9A-Za-z]{16}/;

/** Whether a query has what looks like an API key: addresses are written into logs, histories and `Referer`. */
export const hasKeyInQuery = (query: string): boolean =>
  query !== "" && (keyInText.test(query) || (query.includes("%") && keyInText.test(decodeLoosely(query))));

/** Decodes each escape by itself, so that a broken one hides nothing. */
const decodeLoosely = (text: string): string =>
  text.replaceAll(/%([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
