import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { printable } from "../../shared/index.ts";

type Parts = Pick<Contract, "functions" | "routes">;

/** Functions that are built, signed and started by nobody: no route leads to them, and no schedule calls them. */
export function uncalledFunctions({ functions, routes }: Parts): string[] {
  const called = new Set(routes.map(({ to }) => to));
  return [...functions.values()]
    .filter(({ name, everyMs }) => everyMs === undefined && !called.has(`fn:${name}`))
    .map(({ name }) => name);
}

/** Says so of each, with the line that would call it. */
export const describeUncalled = (contract: Parts): string[] =>
  uncalledFunctions(contract).map(
    (name) =>
      `nothing calls the function ${name}: a route does by  to: fn(${JSON.stringify(name)})  and a schedule by  ${JSON.stringify(name)}: { every: "1h" }`,
  );

/**
 * What "(this machine)" stands for in a contract's permissions, here: they name no port, since that differs from one machine to the next.
 * A line for each that the contract asks for there.
 */
export function describeHere({
  secrets,
  egressOrigins,
  upstreams,
  identity,
  limitStore,
}: Contract): string[] {
  const places: [what: string, url: URL | string][] = [
    ...[...secrets.values()].flatMap(({ name, uses }) =>
      uses.map(({ origin }): [string, string] => [`secret ${name}`, origin]),
    ),
    ...[...egressOrigins.keys()].map((origin): [string, string] => ["egress", origin]),
    ...[...upstreams.values()].flatMap(({ name, url, alternates = [] }) =>
      [url, ...alternates].map((address): [string, URL] => [`upstream ${name}`, address]),
    ),
    ...(identity === undefined ? [] : [["identity issuer", identity.issuer] as [string, string]]),
    ...(limitStore === undefined ? [] : [["limits store", limitStore.url] as [string, URL | string]]),
  ];
  const here = places.flatMap(([what, url]) => {
    const { protocol, hostname, host } = new URL(url);
    return isLoopbackHost(hostname) ? [`${printable(what)}: ${protocol}//${host}`] : [];
  });
  return [...new Set(here)].toSorted();
}
