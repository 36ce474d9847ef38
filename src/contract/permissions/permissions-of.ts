import type { Contract } from "../contract.ts";
import type { ContractForeignSite, ContractSite } from "../contract/site.ts";
import { otherOptions } from "./other-options.ts";
import type { Permission } from "./permission.ts";
import { routePermissions } from "./route-permissions.ts";
import { servicePermissions } from "./service-permissions.ts";
import { toJson } from "./to-json.ts";
import {
  contractTreatments,
  edgeTreatments,
  foreignSiteTreatments,
  routeTreatments,
  siteTreatments,
} from "./treatment.ts";
import {
  addressOf,
  entry,
  identityPermissions,
  optional,
  upstreamPermissions,
} from "./upstream-permissions.ts";

/**
 * Lists what a contract permits, sorted: who may call what and how often, what may be sent and what comes back, where requests go, whom
 * it believes. An option that is not known here is listed as it is written, so that a change of it is told.
 *
 * @throws {CurtainwallError} `CONTRACT_SCHEMA_UNSUPPORTED` for a schema with more than 20,000 parts
 */
export function permissionsOf(contract: Contract): Permission[] {
  const { identity, upstreams, corsOrigins, budgets, environment, site, weakenings } = contract;
  const hasKeys = contract.apiKeys !== undefined;
  return sorted([
    // Each route's, in their order: ten thousand short lists are sorted sooner than a long one.
    ...contract.routes
      .toSorted((left, right) => (`${left.key} ` < `${right.key} ` ? -1 : 1))
      .map((route) => [
        ...routePermissions(route, hasKeys),
        ...otherOptions(route.key, route, routeTreatments),
      ]),
    [
      ...identityPermissions(identity),
      ...servicePermissions(contract),
      ...[...upstreams.values()].flatMap(upstreamPermissions),
      ...corsOrigins.map((origin) => entry("cors", origin)),
      ...edgePermissions(contract),
      ...[...budgets.values()].map(({ name, text }) =>
        entry(`budget ${name}`, { limits: [`${text} per route`] }),
      ),
      ...callersPermissions(contract),
      ...keysPermissions(contract),
      ...[...environment.public.keys()].map((name) => entry("publicEnv", name)),
      ...leaksPermissions(contract),
      ...sitePermissions(site),
      ...weakenings.map(({ at }) => entry("weakening", at)),
      ...otherOptions("contract", contract, contractTreatments),
    ],
  ]);
}

/** What no two entries of a contract have in common. */
export const keyOf = ({ at, permits }: Permission): string => JSON.stringify([at, permits]);

const byPlace = (left: Permission, right: Permission): number =>
  left.at < right.at ? -1 : left.at > right.at ? 1 : keyOf(left) < keyOf(right) ? -1 : 1;

/** Each once, by their places. Of two groups one lies before the other; the last is the contract's own, whose places begin with small letters. */
function sorted(groups: readonly Permission[][]): Permission[] {
  const all: Permission[] = [];
  for (const group of groups)
    for (const permission of group.sort(byPlace)) {
      const last = all.at(-1);
      if (last?.at !== permission.at || keyOf(last) !== keyOf(permission)) all.push(permission);
    }
  return all;
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
    ...otherOptions("edge", edge, edgeTreatments),
  ];
}

/** What else says who calls, and where it is counted. */
const callersPermissions = ({ apiKeys, sessions }: Contract): Permission[] => [
  ...optional("apiKeys header", apiKeys?.header),
  ...optional("apiKeys file", apiKeys?.file),
  ...optional("sessions cookie", sessions?.cookie),
];

const leaksPermissions = ({ leaks }: Contract): Permission[] => [
  ...leaks.allow.map(({ rule, path, expires }) =>
    // A day as a number: an earlier one permits less.
    entry(`leaks allow ${rule} ${path}, day`, { atMost: Number(expires.replaceAll("-", "")) }),
  ),
  ...leaks.publicSourceMaps.map((path) => entry("leaks publicSourceMaps", path)),
  entry("leaks canaries", { atLeast: leaks.canaries.length }),
];

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
      ...otherOptions("site", site, foreignSiteTreatments),
    ];
  const sources = [...site.sources].flatMap(([name, source]) => [
    entry(`source ${name}`, addressOf(source.url)),
    ...source.headers.flatMap(({ name: header, variable }) =>
      variable === undefined ? [] : [entry(`source ${name} header ${header}`, variable)],
    ),
    ...[...(source.pictures?.from ?? [])].map((origin) => entry(`source ${name} pictures`, origin)),
    ...(source.allowPrivate ? [entry(`source ${name}`, "private addresses")] : []),
  ]);
  return [...sources, ...otherOptions("site", site, siteTreatments)];
}
