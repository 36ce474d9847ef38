import type { Contract } from "../contract.ts";
import type { Identity } from "../contract/callers.ts";
import type { ContractForeignSite, ContractSite } from "../contract/site.ts";
import { isLoopbackHost } from "../loopback.ts";
import type { Permission, Permits } from "./permission.ts";
import { routePermissions } from "./route-permissions.ts";
import { otherOptions } from "./other-options.ts";
import { toJson } from "./to-json.ts";

/**
 * Lists what a contract permits, sorted: who may call what and how often, what may be sent and what comes back, where requests go, whom
 * it believes. An option that is not known here is listed as it is written, so that a change of it is told.
 *
 * @throws {CurtainwallError} `CONTRACT_SCHEMA_UNSUPPORTED` for a schema with more than 20,000 parts
 */
export function permissionsOf(contract: Contract): Permission[] {
  const found = [
    ...contract.routes.flatMap(routePermissions),
    ...identityPermissions(contract.identity),
    ...[...contract.upstreams.values()].flatMap((upstream) => [
      ...[upstream.url, ...(upstream.alternates ?? [])].map((url) =>
        entry(`upstream ${upstream.name}`, addressOf(url)),
      ),
      entry(`upstream ${upstream.name} maxResponseBytes`, { atMost: upstream.maxResponseBytes }),
      ...optional(`upstream ${upstream.name} caFile`, upstream.caFile),
      ...otherOptions(`upstream ${upstream.name}`, upstream, knownOfUpstream),
    ]),
    ...contract.corsOrigins.map((origin) => entry("cors", origin)),
    ...edgePermissions(contract),
    ...[...contract.budgets.values()].map(({ name, text }) =>
      entry(`budget ${name}`, { limits: [`${text} per route`] }),
    ),
    ...limitStorePermissions(contract),
    ...keysPermissions(contract),
    ...[...contract.environment.public.keys()].map((name) => entry("publicEnv", name)),
    ...contract.leaks.allow.map(({ rule, path, expires }) =>
      // A day as a number: an earlier one permits less.
      entry(`leaks allow ${rule} ${path}, day`, { atMost: Number(expires.replaceAll("-", "")) }),
    ),
    ...contract.leaks.publicSourceMaps.map((path) => entry("leaks publicSourceMaps", path)),
    entry("leaks canaries", { atLeast: contract.leaks.canaries.length }),
    ...sitePermissions(contract.site),
    ...contract.weakenings.map(({ at }) => entry("weakening", at)),
    ...otherOptions("contract", contract, known),
  ];
  return [...new Map(found.map((permission) => [keyOf(permission), permission]))]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, permission]) => permission);
}

/** What no two entries of a contract have in common. */
export const keyOf = ({ at, permits }: Permission): string => JSON.stringify([at, permits]);

const entry = (at: string, permits: Permits): Permission => ({ at, permits });
const optional = (at: string, permits: string | undefined): Permission[] =>
  permits === undefined ? [] : [entry(at, permits)];

/** What lies on this machine is somewhere else in each developer's copy, and nobody else answers there. */
function addressOf(url: URL | string): string {
  const { protocol, hostname, href } = new URL(url);
  return isLoopbackHost(hostname) ? `${protocol}//(this machine)` : href;
}

/** What is told of above, and what permits nothing. */
const known = new Set([
  "origin",
  "site",
  "identity",
  "upstreams",
  "corsOrigins",
  "edge",
  "budgets",
  "limitStore",
  "ledger",
  "reports",
  "keys",
  "environment",
  "leaks",
  "routes",
  "apiRoots",
  "weakenings",
]);
const knownOfUpstream = new Set([
  "name",
  "url",
  "alternates",
  "retries",
  "retryOn",
  "timeoutMs",
  "maxResponseBytes",
  "concurrency",
  "caFile",
]);
const knownOfIdentity = new Set([
  "issuer",
  "audience",
  "jwksUrl",
  "algorithms",
  "rolesClaim",
  "clockToleranceSeconds",
  "caFile",
]);

function identityPermissions(identity: Identity | undefined): Permission[] {
  if (identity === undefined) return [];
  const { issuer, audience, jwksUrl, algorithms, rolesClaim, clockToleranceSeconds, caFile } = identity;
  return [
    entry("identity issuer", addressOf(issuer)),
    entry("identity audience", audience),
    ...optional("identity jwksUrl", jwksUrl === undefined ? undefined : addressOf(jwksUrl)),
    ...algorithms.map((algorithm) => entry("identity algorithm", algorithm)),
    entry("identity rolesClaim", rolesClaim),
    entry("identity clockToleranceSeconds", { atMost: clockToleranceSeconds }),
    ...optional("identity caFile", caFile),
    ...otherOptions("identity", identity, knownOfIdentity),
  ];
}

function edgePermissions({ edge }: Contract): Permission[] {
  const { proxies, ipv6Prefix } = edge;
  const trusted = proxies?.trusted ?? [];
  return [
    entry("edge ipv6Prefix", { atMost: ipv6Prefix }),
    ...optional("edge proxies clientFrom", proxies?.clientFrom),
    ...(typeof trusted === "number"
      ? [entry("edge proxies trusted", `${trusted} in a row`)]
      : trusted.map((network) => entry("edge proxies trusted", JSON.stringify(toJson(network))))),
  ];
}

const limitStorePermissions = ({ limitStore }: Contract): Permission[] =>
  limitStore === undefined ? [] : [entry("limits store", addressOf(limitStore.url))];

/** Development keys lie beside what they sign: to go back to them is to trust more. */
const keysPermissions = ({ keys }: Contract): Permission[] =>
  keys === undefined
    ? [entry("keys", "development")]
    : Object.entries(keys).map(([name, key]) => entry(`keys ${name}`, JSON.stringify(toJson(key))));

function sitePermissions(site: ContractSite | ContractForeignSite | undefined): Permission[] {
  if (site === undefined) return [];
  if ("dist" in site)
    return [
      ...(site.build?.reaches ?? []).map((origin) => entry("site reaches", addressOf(origin))),
      ...(site.build?.environment ?? []).map((name) => entry("site environment", name)),
      ...site.allowScripts.map(({ address }) => entry("site allowScripts", address)),
    ];
  return [...site.sources].flatMap(([name, source]) => [
    entry(`source ${name}`, addressOf(source.url)),
    ...source.headers.flatMap(({ name: header, variable }) =>
      variable === undefined ? [] : [entry(`source ${name} header ${header}`, variable)],
    ),
    ...[...(source.pictures?.from ?? [])].map((origin) => entry(`source ${name} pictures`, origin)),
    ...(source.allowPrivate ? [entry(`source ${name}`, "private addresses")] : []),
  ]);
}
