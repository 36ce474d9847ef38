import { z } from "zod";
import type { ContractRoute } from "../contract/index.ts";
import { mutateBody } from "./mutate-body.ts";
import type { AuditInput } from "./plan.ts";

/** Input that a route must refuse: an accepted one, changed in one place. */
export interface Mutant {
  /** What was changed, for the report. */
  name: string;
  /** What kind of change it is; the checks of API-3 are named after these. */
  kind: MutantKind;
  rawParams?: Record<string, string>;
  rawQuery?: string;
  rawBody?: Uint8Array | string;
  contentType?: string | null;
}

export type MutantKind =
  | "type"
  | "bounds"
  | "missing key"
  | "extra key"
  | "duplicate key"
  | "prototype key"
  | "depth"
  | "size"
  | "malformed"
  | "media type";

/** Every mutation of a route's input. What the contract's own schema turns out to accept is left out: it proves nothing. */
export function mutate(route: ContractRoute, input: AuditInput): Mutant[] {
  return [...mutateParams(route, input), ...mutateQuery(route, input), ...mutateBody(route, input)];
}

const hostileTexts: readonly (readonly [name: string, kind: MutantKind, value: string])[] = [
  ["2 000 characters", "bounds", "a".repeat(2000)],
  ["a NUL", "type", "a\0b"],
  ["a path upwards", "type", "../../etc/passwd"],
  ["a quote and SQL", "type", "1' OR '1'='1"],
  ["markup", "type", "<script>alert(1)</script>"],
  ["a line break", "type", "a\r\nx-injected: 1"],
  ["a number far out of range", "bounds", "-99999999999999999999"],
  ["__proto__", "prototype key", "__proto__"],
];

function* mutateParams({ params }: ContractRoute, input: AuditInput): Generator<Mutant> {
  if (params === undefined) return;
  const encoded = Object.fromEntries(
    Object.entries(input.params ?? {}).map(([name, value]) => [name, encodeURIComponent(value)]),
  );
  for (const name of Object.keys(input.params ?? {})) {
    for (const [what, kind, value] of hostileTexts) {
      if (z.safeParse(params, { ...input.params, [name]: value }).success) continue;
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

const asQuery = (query: Readonly<Record<string, string>>): string => new URLSearchParams(query).toString();
const join = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("&");

function* mutateQuery({ query }: ContractRoute, input: AuditInput): Generator<Mutant> {
  const good = asQuery(input.query ?? {});
  yield { name: "a query key that is not declared", kind: "extra key", rawQuery: join(good, "undeclared=1") };
  yield { name: "a query key in brackets", kind: "extra key", rawQuery: join(good, "undeclared[nested]=1") };
  for (const name of ["__proto__", "constructor", "__proto__[polluted]"])
    yield {
      name: `query key ${name}`,
      kind: "prototype key",
      rawQuery: join(good, `${encodeURIComponent(name)}=1`),
    };
  yield { name: "a broken percent-encoding in the query", kind: "malformed", rawQuery: join(good, "%zz=1") };
  const declared = queryKeys(query, input);
  for (const name of declared) {
    const pair = asQuery({ [name]: input.query?.[name] ?? "1" });
    yield {
      name: `query key ${name} twice`,
      kind: "duplicate key",
      rawQuery: join(good, pair, ...(input.query?.[name] === undefined ? [pair] : [])),
    };
    for (const [what, kind, value] of hostileTexts) {
      if (query === undefined || z.safeParse(query, { ...input.query, [name]: value }).success) continue;
      yield { name: `query ${name} is ${what}`, kind, rawQuery: asQuery({ ...input.query, [name]: value }) };
    }
  }
}

/** Keys that the schema declares, as far as it says, and those that the sample uses. */
function queryKeys(query: ContractRoute["query"], input: AuditInput): string[] {
  const shape = (query as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return [...new Set([...Object.keys(shape ?? {}), ...Object.keys(input.query ?? {})])];
}
