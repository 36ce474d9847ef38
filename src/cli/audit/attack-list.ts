import { kinds } from "../../audit/index.ts";
import type { AttackKind } from "../../audit/index.ts";
import { counted } from "../../shared/index.ts";

/** A kind of attack on one route, or on the site, with its checks. */
export interface ListedUnit {
  readonly kind: AttackKind;
  readonly route?: { readonly key: string } | undefined;
  readonly checks: readonly { readonly check: { readonly name: string } }[];
}

const nameWidth = 11;
const numberWidth = 9;

/** Lists what would be attacked: counts by kind, then by route. */
export function listTable(units: readonly ListedUnit[]): string {
  const count = (list: readonly ListedUnit[]): number =>
    list.reduce((sum, { checks }) => sum + checks.length, 0);
  const line = (name: string, numbers: readonly (number | string)[]): string =>
    `${name.padEnd(nameWidth)}${numbers.map((number) => String(number).padStart(numberWidth)).join("")}`;
  const numbersOf = (list: readonly ListedUnit[]): number[] => {
    const onSite = list.filter(({ route }) => route === undefined);
    return [list.length - onSite.length, count(list) - count(onSite), count(onSite)];
  };
  const byKind = kinds.flatMap((kind) => {
    const list = units.filter((unit) => unit.kind === kind);
    return list.length === 0 ? [] : [line(kind, numbersOf(list))];
  });
  const byRoute = [...Map.groupBy(units, ({ route }) => route?.key ?? "site")].map(
    ([route, list]) =>
      `${String(count(list)).padStart(5)}  ${route}: ${list.map((unit) => `${unit.kind} ${unit.checks.length}`).join(", ")}`,
  );
  const routes = new Set(units.flatMap(({ route }) => (route === undefined ? [] : [route.key]))).size;
  return [
    line("", ["routes", "on them", "on site"]),
    ...byKind,
    "",
    ...byRoute,
    "",
    `${counted(count(units), "attack")}: ${counted(byKind.length, "kind")}, ${counted(routes, "route")}. Each by name: --verbose.`,
  ].join("\n");
}

/** Lists each check by name. */
export const listChecks = (units: readonly ListedUnit[]): string =>
  units
    .map(
      ({ kind, route, checks }) =>
        `${kind.padEnd(nameWidth)}${route?.key ?? "site"}\n${checks.map(({ check }) => `             ${check.name}`).join("\n")}`,
    )
    .join("\n");
