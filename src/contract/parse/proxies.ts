import { parseNetwork } from "../../shared/index.ts";
import type { ContractEdge, ContractProxies } from "../contract/host.ts";
import type { ContractRoute } from "../contract/route.ts";
import { isLoopbackHost } from "../addresses/loopback.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, quote } from "./values.ts";

const ways = ["x-forwarded-for", "forwarded", "proxy-protocol"] as const;

/** Reads which proxies stand in front of the edge, and how they name the client. */
export function parseProxies(problems: Problems, value: unknown): ContractProxies | undefined {
  if (value === undefined) return undefined;
  const example = 'Write  proxies: { trusted: ["10.0.0.0/8"], clientFrom: "x-forwarded-for" }';
  if (!isMembers(value))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `edge.proxies must be an object or "none", not ${quote(value)}.`,
      example,
    );
  checkNames(problems, "edge.proxies", value, ["trusted", "clientFrom"]);
  const clientFrom = ways.find((way) => way === value.clientFrom);
  if (clientFrom === undefined)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `edge.proxies.clientFrom must be one of ${ways.map(quote).join(", ")}, not ${quote(value.clientFrom)}.`,
      "Any client can write the others: name the one that your proxy sets",
    );
  const trusted = parseTrusted(problems, value.trusted, example);
  if (trusted === undefined) return undefined;
  if (clientFrom === "proxy-protocol" && typeof trusted === "number")
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      "edge.proxies: with the PROXY protocol the proxies' addresses must be known.",
      'Write  trusted: ["10.0.0.0/8"]',
    );
  return { trusted, clientFrom };
}

function parseTrusted(
  problems: Problems,
  value: unknown,
  example: string,
): ContractProxies["trusted"] | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 8) return value;
  if (!Array.isArray(value) || value.length === 0 || value.length > 1000)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `edge.proxies.trusted must be a list of addresses and networks, or their number from 1 to 8, not ${quote(value)}.`,
      example,
    );
  return value.flatMap((entry: unknown) => {
    const network = typeof entry === "string" ? parseNetwork(entry) : undefined;
    if (network === undefined)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `edge.proxies.trusted: ${quote(entry)} is no address and no network.`,
        'Write  "10.0.0.0/8": the bits after the prefix are 0',
      );
    else if (network.prefix === 0)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `edge.proxies.trusted: ${quote(entry)} is everybody, so that each client could name itself.`,
        "Name the networks that your proxies are in",
      );
    return network ?? [];
  });
}

/**
 * A site of the internet whose edge listens on loopback alone has somebody in front of it. Limits by client would then be
 * limits for all clients together.
 */
export function checkProxiesDeclared(
  problems: Problems,
  origin: string,
  edge: ContractEdge,
  routes: readonly ContractRoute[],
): void {
  if (edge.proxies !== undefined || edge.deniesProxies) return;
  if (isLoopbackHost(new URL(origin).hostname) || !edge.addresses.every(isLoopbackHost)) return;
  const limited = routes.find(({ limits }) => limits.some(({ by }) => by === "client"));
  if (limited === undefined) return;
  problems.add(
    "CONTRACT_PROXY_UNDECLARED",
    `The edge listens on loopback alone, so visitors of ${origin} come through a proxy that edge.proxies does not declare. ` +
      `All of them would share one limit (route ${quote(limited.key)}).`,
    'Write  edge: { proxies: { trusted: ["127.0.0.1", "::1"], clientFrom: "x-forwarded-for" } }   // or "none"',
  );
}
