import type { Identity } from "../contract/callers.ts";
import type { DpopMode, TokenAlgorithm } from "../define/identity.ts";
import type { Problems } from "./problems.ts";
import { checkHost, parseNetwork } from "./upstream-addresses.ts";
import { parseUrl } from "./url.ts";
import { number, optionalText, quote, section, text, weakened } from "./values.ts";

const tokenAlgorithms: readonly TokenAlgorithm[] = ["RS256", "ES256", "EdDSA"];

/** Reads who issues access tokens, and for whom. */
export function parseIdentity(problems: Problems, value: unknown): Identity | undefined {
  const options = section(problems, "identity", value, [
    "issuer",
    "audience",
    "jwksUrl",
    "network",
    "algorithms",
    "rolesClaim",
    "tenantClaim",
    "clockToleranceSeconds",
    "dpop",
    "caFile",
    "insecureAllowHttp",
  ]);
  if (options === undefined) return undefined;
  const allowHttp = weakened(problems, "identity.insecureAllowHttp", options.insecureAllowHttp);
  const algorithms = options.algorithms ?? tokenAlgorithms;
  if (
    !Array.isArray(algorithms) ||
    algorithms.length === 0 ||
    algorithms.some((name) => !tokenAlgorithms.includes(name as TokenAlgorithm))
  ) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `identity.algorithms must be a list of ${tokenAlgorithms.join(", ")}, not ${quote(algorithms)}.`,
    );
  }
  const network = parseNetwork(problems, "identity", options.network);
  for (const name of ["issuer", "jwksUrl"] as const) {
    const given = options[name];
    if (name === "jwksUrl" && given === undefined) continue;
    checkHost(
      problems,
      `identity.${name}`,
      parseUrl(problems, `identity.${name}`, given, allowHttp),
      given,
      network,
    );
  }
  return {
    // Not normalised: a token's `iss` is compared with it to the letter (RFC 8414 §2).
    issuer: typeof options.issuer === "string" ? options.issuer : "",
    audience: text(problems, "identity.audience", options.audience),
    jwksUrl: optionalText(problems, "identity.jwksUrl", options.jwksUrl),
    ...(network === undefined ? {} : { network }),
    algorithms: algorithms as TokenAlgorithm[],
    rolesClaim:
      options.rolesClaim === undefined ? "roles" : text(problems, "identity.rolesClaim", options.rolesClaim),
    tenantClaim: optionalText(problems, "identity.tenantClaim", options.tenantClaim),
    clockToleranceSeconds: number(problems, "identity.clockToleranceSeconds", options.clockToleranceSeconds, {
      min: 0,
      max: 60,
      fallback: 5,
    }),
    ...parseDpop(problems, options.dpop),
    caFile: optionalText(problems, "identity.caFile", options.caFile),
  };
}

function parseDpop(problems: Problems, value: unknown): { dpop?: DpopMode } {
  if (value === "accepted" || value === "required") return { dpop: value };
  if (value !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `identity.dpop must be "accepted" or "required", not ${quote(value)}.`,
    );
  return {};
}
