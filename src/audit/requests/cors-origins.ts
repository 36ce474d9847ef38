import type { ContractRoute } from "../../contract/index.ts";

/** An origin that looks like an allowed one, and must not be taken for it. */
export interface LookAlike {
  /** Which mistake of a server would let it in. */
  kind: LookAlikeKind;
  origin: string;
}

export const lookAlikeKinds = [
  "null",
  "prefix",
  "suffix",
  "subdomain",
  "port",
  "scheme",
  "case",
  "dot",
  "development",
] as const;

export type LookAlikeKind = (typeof lookAlikeKinds)[number];

/** Where people's own machines serve pages that are being written: what was allowed for a while, and any page opened there may be anybody's. */
const developmentOrigins = [
  "http://localhost:3000",
  "http://localhost:5173",
  "http://127.0.0.1:8080",
  "http://localhost",
] as const;

/** Origins that differ from the allowed ones by one thing each. None of them is allowed itself. */
export function lookAlikes(allowed: readonly string[]): LookAlike[] {
  const all = allowed.flatMap((origin) => {
    const { protocol, host, hostname, port } = new URL(origin);
    const portPart = port === "" ? "" : `:${port}`;
    const otherPort = String((Number(port === "" ? "443" : port) % 65_534) + 1);
    const found: LookAlike[] = [
      { kind: "null", origin: "null" },
      { kind: "prefix", origin: `${protocol}//evil${host}` },
      { kind: "prefix", origin: `${protocol}//${host}@attacker.invalid` },
      { kind: "suffix", origin: `${protocol}//${hostname}.attacker.invalid${portPart}` },
      { kind: "suffix", origin: `${protocol}//${host}0` },
      { kind: "subdomain", origin: `${protocol}//sub.${host}` },
      { kind: "port", origin: `${protocol}//${hostname}:${otherPort}` },
      { kind: "scheme", origin: `${protocol === "https:" ? "http:" : "https:"}//${host}` },
      { kind: "case", origin: `${protocol}//${host.toUpperCase()}` },
      ...withoutDots(hostname).map((name): LookAlike => ({
        kind: "dot",
        origin: `${protocol}//${name}${portPart}`,
      })),
    ];
    // A browser writes origins in lower case and without a path; what looks otherwise is no browser's.
    return /[a-z]/.test(host) ? found : found.filter(({ kind }) => kind !== "case" && kind !== "dot");
  });
  all.push(...developmentOrigins.map((origin): LookAlike => ({ kind: "development", origin })));
  const seen = new Set(allowed);
  return all.filter(({ origin }) => !seen.has(origin) && seen.add(origin));
}

/** A name with a letter in each dot's place, one at a time: to an expression that does not escape it, a dot is any character. */
const withoutDots = (name: string): string[] =>
  [...name.matchAll(/\./g)].map(({ index }) => `${name.slice(0, index)}x${name.slice(index + 1)}`);

/** Kinds with many origins, which one slip in one place would let in. */
const sharedOut: ReadonlySet<LookAlikeKind> = new Set(["dot", "development"]);

/** What of a route says how it comes to its answers. */
type Answered = Pick<ContractRoute, "key" | "to" | "cache" | "stream" | "webhook">;

/**
 * Which of the look-alikes of one kind a route is asked for. Where a kind has many, the first route of each sort is asked for all of them, since what answers it
 * may read origins in a way of its own; every other route is asked for one, and those beside it for the others.
 *
 * @param routes all that the contract declares
 */
export function lookAlikesFor(
  kind: LookAlikeKind,
  found: readonly LookAlike[],
  route: Answered,
  routes: readonly Answered[],
): readonly LookAlike[] {
  if (!sharedOut.has(kind) || found.length === 0 || isFirstOfItsSort(route, routes)) return found;
  const place = routes.findIndex(({ key }) => key === route.key);
  return found.filter((_, index) => index === place % found.length);
}

/** No page sends webhooks, so none of them speaks for others. */
const isFirstOfItsSort = (route: Answered, routes: readonly Answered[]): boolean =>
  route.webhook === undefined &&
  routes.find((other) => other.webhook === undefined && sortOf(other) === sortOf(route))?.key === route.key;

/** By whom it is answered, whether from what was kept, and in how many parts. */
const sortOf = ({ to, cache, stream }: Answered): string =>
  [to.startsWith("fn:"), cache !== undefined, stream?.kind].join(" ");
