import { keyAccess } from "../../contract/index.ts";
import type { Contract, ContractRoute } from "../../contract/index.ts";
import { asksWhoCalls } from "../callers/routes-that-ask.ts";
import type { RouteStep } from "./explain.ts";

/** What a contract knows of who may call. */
export type ExplainedCallers = Partial<Pick<Contract, "identity" | "apiKeys" | "sessions">>;

/** Says what a route's requests may bring to say who calls, if it asks. */
export function explainCallers(
  route: ContractRoute,
  { identity, apiKeys, sessions }: ExplainedCallers,
): RouteStep[] {
  if (!asksWhoCalls(route)) return [];
  const none = route.access.kind === "everyone" ? "none, or " : "";
  const steps: (RouteStep | false)[] = [
    identity !== undefined && {
      check: "token",
      passes: `${none}a valid access token (RFC 9068), signature by the issuer's keys${proofWords[identity.dpop ?? "none"]}`,
      otherwise: `401 GATEWAY_TOKEN_MISSING, GATEWAY_TOKEN_INVALID; 503 GATEWAY_KEYS_UNAVAILABLE${identity.dpop === undefined ? "" : ", GATEWAY_PROOFS_UNAVAILABLE"}`,
    },
    sessions !== undefined && {
      check: "session",
      passes: `${none}one that the cookie ${sessions.cookie} names, asked for by a page of the site; not together with a token`,
      otherwise:
        "403 GATEWAY_CROSS_SITE_REFUSED, 401 GATEWAY_SESSION_INVALID; 503 GATEWAY_SESSIONS_UNAVAILABLE",
    },
    apiKeys !== undefined &&
      keyAccess(route.access) !== undefined && {
        check: "API key",
        passes: `one of the list, in ${apiKeys.header === "x-api-key" ? "X-API-Key" : "Authorization: ApiKey"}; not together with a token`,
        otherwise: "401 GATEWAY_TOKEN_INVALID; 400 GATEWAY_KEY_IN_QUERY",
      },
  ];
  return steps.filter((step) => step !== false);
}

const proofWords = {
  none: "",
  accepted: "; with a proof of its key (DPoP), used once, if it is bound to one",
  required: "; bound to a key, with a proof of it (DPoP), used once",
} as const;
