import { z } from "zod";
import { listFields, memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { hostileTexts } from "../requests/hostile-texts.ts";
import { queryOf, writePairs } from "../requests/input-values.ts";
import type { Mutant } from "./mutate.ts";
import { nearlyAsText } from "./nearly.ts";
import { textFor } from "./schema-value.ts";
import type { AuditInput } from "../plan/plan.ts";

/** Every mutation of a path's parameters. */
export function* mutateParams({ params }: ContractRoute, input: AuditInput): Generator<Mutant> {
  if (params === undefined) return;
  const encoded = Object.fromEntries(
    Object.entries(input.params ?? {}).map(([name, value]) => [name, encodeURIComponent(value)]),
  );
  for (const [name, given] of Object.entries(input.params ?? {})) {
    const isRefused = (changed: string): boolean =>
      !z.safeParse(params, { ...input.params, [name]: changed }).success;
    const near = nearlyAsText(given, isRefused).map(
      ({ name: what, value }) => [what, "bounds", value] as const,
    );
    for (const [what, kind, value] of [...hostileTexts, ...near]) {
      if (value === "" || !isRefused(value)) continue;
      yield {
        name: `:${name} is ${what}`,
        kind,
        rawParams: { ...encoded, [name]: encodeURIComponent(value) },
      };
    }
    yield {
      name: `:${name} is a broken percent-encoding`,
      kind: "malformed",
      rawParams: { ...encoded, [name]: "%zz" },
    };
    yield {
      name: `:${name} is invalid UTF-8`,
      kind: "malformed",
      rawParams: { ...encoded, [name]: "%ff%fe" },
    };
  }
}

const join = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("&");

/** Every mutation of a query. */
export function* mutateQuery(route: ContractRoute, input: AuditInput): Generator<Mutant> {
  const { query } = route;
  const values = queryOf(route, input);
  const good = writePairs(values);
  yield { name: "a query key that is not declared", kind: "extra key", rawQuery: join(good, "undeclared=1") };
  yield { name: "a query key in brackets", kind: "extra key", rawQuery: join(good, "undeclared[nested]=1") };
  for (const name of ["__proto__", "constructor", "__proto__[polluted]"])
    yield {
      name: `query key ${name}`,
      kind: "prototype key",
      rawQuery: join(good, `${encodeURIComponent(name)}=1`),
    };
  yield { name: "a broken percent-encoding in the query", kind: "malformed", rawQuery: join(good, "%zz=1") };
  yield { name: "invalid UTF-8 in the query", kind: "malformed", rawQuery: join(good, "%ff%fe=1") };
  if (query === undefined) return;
  const lists = listFields(query);
  const isRefused = (changed: typeof values): boolean => !z.safeParse(query, changed).success;
  for (const name of new Set([...memberNames(query), ...Object.keys(values)])) {
    const given = values[name];
    const changes: [what: string, kind: Mutant["kind"], value: string | string[]][] = hostileTexts.map(
      ([what, kind, value]) => [what, kind, lists.has(name) ? [value] : value],
    );
    if (lists.has(name)) {
      const one = given?.[0] ?? "1";
      changes.push(["40 values", "bounds", Array.from({ length: 40 }, () => one)]);
    } else {
      const pair = writePairs({ [name]: given ?? "1" });
      yield {
        name: `query key ${name} twice`,
        kind: "duplicate key",
        rawQuery: join(good, pair, ...(given === undefined ? [pair] : [])),
      };
    }
    const takes = lists.has(name) ? undefined : (given ?? textFor(query, name));
    if (typeof takes === "string")
      for (const near of nearlyAsText(takes, (text) => isRefused({ ...values, [name]: text })))
        changes.push([near.name, "bounds", near.value]);
    for (const [what, kind, value] of changes) {
      const changed = { ...values, [name]: value };
      if (isRefused(changed)) yield { name: `query ${name} is ${what}`, kind, rawQuery: writePairs(changed) };
    }
    const { [name]: _, ...rest } = values;
    if (isRefused(rest))
      yield { name: `query ${name} is missing`, kind: "missing key", rawQuery: writePairs(rest) };
  }
}
