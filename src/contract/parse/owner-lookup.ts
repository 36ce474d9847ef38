import { accessParts } from "../access.ts";
import type { OwnerLookup } from "../access/owner-lookup.ts";
import type { ContractRoute } from "../contract/route.ts";
import { memberNames } from "../schema.ts";
import { paramNames, parseRouteKey } from "../path.ts";
import type { Problems } from "./problems.ts";
import { quote } from "./values.ts";

const maxLookups = 3;

/** Refuses a look-up that asks for nothing that the path names, or asks nobody. */
export function checkLookup(
  problems: Problems,
  where: string,
  { get, from }: OwnerLookup,
  params: readonly string[],
  upstreams: ReadonlyMap<string, unknown>,
): void {
  const at = `${where}, ownerLookup(${quote(get)})`;
  const parts = parseRouteKey(`GET ${get}`);
  if (typeof parts === "string") problems.add("CONTRACT_OPTION_INVALID", `${at}: ${parts}.`);
  else {
    const asked = paramNames(parts.segments);
    const strange = asked.filter((name) => !params.includes(name));
    if (strange.length > 0 || asked.length === 0)
      problems.add(
        "CONTRACT_REFERENCE_UNKNOWN",
        strange.length > 0
          ? `${at} names :${strange.join(", :")}, which is no parameter of the path.`
          : `${at} asks for the same object whatever the path names.`,
        `Parameters: ${params.join(", ") || "none"}`,
      );
  }
  if (from !== undefined && !upstreams.has(from))
    problems.add(
      "CONTRACT_REFERENCE_UNKNOWN",
      `${at} asks ${quote(from)}, which is not among the upstreams.`,
      `Upstreams: ${[...upstreams.keys()].join(", ") || "none"}`,
    );
}

/** Refuses what a route's look-ups and checks can't have, once the whole route was read. */
export function checkAskedConditions(problems: Problems, where: string, route: ContractRoute): void {
  const parts = accessParts(route.access);
  const refuse = (message: string, hint?: string): void =>
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${message}.`, hint);
  for (const part of parts)
    if (part.kind === "check" && part.body && route.body === undefined)
      refuse(`the check ${quote(part.name)} looks at the body, and there is none`);
  const lookups = parts.filter((part) => part.kind === "ownerLookup");
  if (lookups.length > maxLookups) refuse(`at most ${maxLookups} look-ups go before one request`);
  const tagged = lookups.filter(({ ifMatch }) => ifMatch === true);
  if (tagged.length > 1) refuse("one look-up says what If-Match is, not several");
  if (tagged.length > 0 && route.method === "GET")
    refuse("If-Match is for what changes something, not for GET");
  if (tagged.some(({ from }) => from !== undefined && from !== route.to))
    refuse(`If-Match is the ETag of what ${quote(route.to)} has, and another upstream is asked`);
  if (tagged.length > 0 && route.headers !== undefined && memberNames(route.headers).includes("if-match"))
    refuse("If-Match is the look-up's, and can't be a header of the client's too");
}

/** Refuses two checks of one name that do not do the same. */
export function checkCheckNames(problems: Problems, routes: readonly ContractRoute[]): void {
  const tests = new Map<string, unknown>();
  for (const part of routes.flatMap(({ access }) => accessParts(access))) {
    if (part.kind !== "check") continue;
    const known = tests.get(part.name);
    if (known !== undefined && known !== part.test)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `Two checks are called ${quote(part.name)}, and test different things.`,
        "Give each a name of its own, or make it once and use it twice",
      );
    tests.set(part.name, part.test);
  }
}
