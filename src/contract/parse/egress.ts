import type { ContractUpstream } from "../contract.ts";
import type { ContractRoute } from "../contract/route.ts";
import type { ContractEgressOrigin, ContractFunction, ContractSecret } from "../contract/secret.ts";
import { assertSpan, readRate } from "../limits/limit.ts";
import type { Rate } from "../limits/limit.ts";
import { nearest } from "../../shared/index.ts";
import { networkOfHost } from "../addresses/network.ts";
import type { Problems } from "./problems.ts";
import { checkHost, parseNetwork } from "./upstream-addresses.ts";
import { checkNames, isMembers, number, optionalText, quote, section } from "./values.ts";
import type { Members } from "./values.ts";

/** What causes requests to other services. */
export interface EgressSurroundings {
  readonly secrets: ReadonlyMap<string, ContractSecret>;
  readonly functions: ReadonlyMap<string, ContractFunction>;
  readonly routes: readonly ContractRoute[];
  readonly upstreams: ReadonlyMap<string, ContractUpstream>;
}

/** Reads how the services that secrets and functions name are reached. */
export function parseEgress(
  problems: Problems,
  value: unknown,
  surroundings: EgressSurroundings,
): Map<string, ContractEgressOrigin> {
  const written = section(problems, "egress", value, ["origins"])?.origins ?? {};
  if (!isMembers(written))
    problems.add("CONTRACT_OPTION_INVALID", `egress.origins must be an object, not ${quote(written)}.`);
  const entries: Members = isMembers(written) ? written : {};
  const needed = neededOrigins(surroundings);
  for (const name of Object.keys(entries)) checkOriginName(problems, name, needed);
  return new Map(
    [...needed].map((origin) => [
      origin,
      parseOrigin(problems, origin, entries[origin] ?? {}, upstreamAt(origin, surroundings)),
    ]),
  );
}

function neededOrigins({ secrets, functions }: EgressSurroundings): Set<string> {
  return new Set([
    ...[...secrets.values()].flatMap(({ uses, inject }) => [
      ...uses.map(({ origin }) => origin),
      ...(inject?.kind === "client-credentials" ? [URL.parse(inject.tokenUrl)?.origin ?? ""] : []),
    ]),
    ...[...functions.values()].flatMap(({ reaches }) => reaches.map(({ origin }) => origin)),
  ]);
}

function checkOriginName(problems: Problems, name: string, needed: ReadonlySet<string>): void {
  if (needed.has(name)) return;
  const where = `egress.origins names ${quote(name)}`;
  const origin = URL.parse(name)?.origin ?? "";
  if (needed.has(origin))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}, which is not how an origin is written.`,
      `Write  ${quote(origin)}: { … },`,
    );
  const close = nearest(name, [...needed]);
  problems.add(
    "CONTRACT_REFERENCE_UNKNOWN",
    `${where}, which no secret and no function uses.`,
    close === undefined
      ? `Origins in use: ${[...needed].join(", ") || "none"}`
      : `Did you mean ${quote(close)}?`,
  );
}

/** An upstream whose requests get a secret on their way is reached as it says itself, unless `egress.origins` says otherwise. */
function upstreamAt(
  origin: string,
  { secrets, routes, upstreams }: EgressSurroundings,
): ContractUpstream | undefined {
  const users = new Set([...secrets.values()].flatMap(({ by }) => by));
  const names = routes.filter(({ key }) => users.has(key)).map(({ to }) => to);
  return [...new Set(names)]
    .map((name) => upstreams.get(name))
    .find((upstream) =>
      [upstream?.url, ...(upstream?.alternates ?? [])].some((url) => url?.origin === origin),
    );
}

function parseOrigin(
  problems: Problems,
  origin: string,
  value: unknown,
  upstream: ContractUpstream | undefined,
): ContractEgressOrigin {
  const where = `egress.origins[${quote(origin)}]`;
  const entry: Members = isMembers(value) ? value : {};
  if (!isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `${where} must be an object, not ${quote(value)}.`);
  checkNames(problems, where, entry, [
    "network",
    "caFile",
    "timeoutMs",
    "maxResponseBytes",
    "maxRequestBytes",
    "concurrency",
    "rate",
  ]);
  const url = new URL(origin === "" ? "https://invalid.invalid" : origin);
  const network = parseNetwork(problems, where, entry.network) ?? upstream?.network;
  checkHost(problems, where, url, origin, network);
  const within = (name: string, max: number, fallback: number): number =>
    number(problems, `${where}.${name}`, entry[name], { min: 1, max, fallback });
  return {
    origin,
    network: network ?? networkOfHost(url.hostname) ?? "public",
    caFile: optionalText(problems, `${where}.caFile`, entry.caFile) ?? upstream?.caFile,
    timeoutMs: within("timeoutMs", 300_000, upstream?.timeoutMs ?? 10_000),
    maxResponseBytes: within("maxResponseBytes", 268_435_456, upstream?.maxResponseBytes ?? 1_048_576),
    maxRequestBytes: within("maxRequestBytes", 268_435_456, 1_048_576),
    concurrency: within("concurrency", 10_000, Math.min(upstream?.concurrency ?? 32, 10_000)),
    rate: entry.rate === undefined ? undefined : parseRate(problems, `${where}.rate`, entry.rate),
  };
}

function parseRate(problems: Problems, where: string, value: unknown): Rate | undefined {
  const rate = typeof value === "string" ? readRate(value, value, undefined) : undefined;
  if (rate === undefined)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be how often, not ${quote(value)}.`,
      'rate: "600/min",',
    );
  try {
    return assertSpan(rate);
  } catch (error) {
    return problems.add("CONTRACT_OPTION_INVALID", `${where}: ${(error as Error).message}`);
  }
}
