import { z } from "zod";
import type { ContractRoute } from "../../contract/index.ts";
import { absentFields } from "./absent-fields.ts";
import type { AbsentField } from "./absent-fields.ts";
import { isObject, label, placesWithin, replace, valueAt } from "./json-place.ts";
import type { Json, Path } from "./json-place.ts";
import { mutateLongLists } from "./long-lists.ts";
import { mutateMembers } from "./members.ts";
import type { Mutant, MutantKind } from "./mutate.ts";
import { nearly } from "./nearly.ts";
import type { AuditInput } from "../plan/plan.ts";

/** Every mutation of a body: of its values, and of its text. */
export function* mutateBody(route: ContractRoute, input: AuditInput): Generator<Mutant> {
  if (route.body === undefined) return;
  const { body: schema, maxBodyBytes } = route;
  const seen = new Set<string>();
  const isRefused = (value: Json): boolean => !z.safeParse(schema, value).success;
  const absent = absentFields(schema, input.body);
  for (const mutant of [
    ...mutateRoot(input.body),
    ...mutateWithin(input.body),
    ...mutateNearly(input.body, { isRefused, maxBodyBytes }),
    ...mutateLongLists(input.body, isRefused),
    ...absent.flatMap((field) => [...mutateAbsent(field, { isRefused, maxBodyBytes })]),
  ]) {
    const rawBody = JSON.stringify(mutant.value);
    if (seen.has(rawBody) || rawBody.length > maxBodyBytes || !isRefused(mutant.value)) continue;
    seen.add(rawBody);
    yield { name: mutant.name, kind: mutant.kind, rawBody };
  }
  const good = JSON.stringify(input.body);
  const ofText = [
    ...mutateText(good, maxBodyBytes, input.body),
    ...mutateMembers(input.body),
    ...absent.flatMap(({ body, path }) => [...mutateMembers(body, path)]),
  ];
  yield* ofText.filter(({ kind, rawBody }) => kind === "size" || (rawBody?.length ?? 0) <= maxBodyBytes);
  yield* mutateFull(ofText, maxBodyBytes);
}

/** A body with one thing about it that its schema refuses. */
export interface ValueMutant {
  name: string;
  kind: MutantKind;
  value: Json;
}

/** What a route takes as a body. */
interface Bounds {
  readonly isRefused: (body: Json) => boolean;
  readonly maxBodyBytes: number;
}

function* mutateRoot(body: Json): Generator<ValueMutant> {
  for (const value of [null, [], "text", 1, true, {}, [body]])
    yield { name: `the body is ${describe(value)}`, kind: "type", value };
}

/** Changes each field of a value, however deep; of a list, its first element. */
function* mutateWithin(body: Json, from: Path = []): Generator<ValueMutant> {
  for (const [path, value] of placesWithin(valueAt(body, from), from)) {
    if (isObject(value)) {
      yield {
        name: `${label(path)} has a key that is not declared`,
        kind: "extra key",
        value: replace(body, path, { ...value, undeclared: 1 }),
      };
      yield {
        name: `${label(path)} has a key "constructor"`,
        kind: "prototype key",
        value: replace(body, path, { ...value, constructor: { prototype: { polluted: 1 } } }),
      };
      for (const key of Object.keys(value)) {
        const { [key]: _, ...rest } = value;
        yield {
          name: `${label([...path, key])} is missing`,
          kind: "missing key",
          value: replace(body, path, rest),
        };
      }
    }
    if (path.length > 0) yield* mutateValue(body, path, value);
  }
}

function* mutateValue(body: Json, path: Path, value: Json): Generator<ValueMutant> {
  for (const [name, kind, changed] of changesOf(value))
    yield { name: `${label(path)} is ${name}`, kind, value: replace(body, path, changed) };
}

/** Each field just beyond what the schema takes, and nearly what it takes; of a list, that of its first element too. */
function* mutateNearly(
  body: Json,
  { isRefused, maxBodyBytes }: Bounds,
  from: Path = [],
): Generator<ValueMutant> {
  for (const [path, value] of placesWithin(valueAt(body, from), from))
    for (const near of nearly(value, (changed) => isRefused(replace(body, path, changed)), maxBodyBytes))
      yield {
        name: `${label(path)} is ${near.name}`,
        kind: "bounds",
        value: replace(body, path, near.value),
      };
}

/** The same of a field that the sample has not. */
function* mutateAbsent({ path, body, value }: AbsentField, bounds: Bounds): Generator<ValueMutant> {
  // Nothing is known that would fit: what fits nowhere does all the same.
  if (value === undefined) return yield* mutateValue(body, path, "a");
  yield* mutateWithin(body, path);
  yield* mutateNearly(body, bounds, path);
}

function changesOf(value: Json): [name: string, kind: MutantKind, value: Json][] {
  const changes: [string, MutantKind, Json][] = [
    ["null", "type", null],
    ["an object", "type", { $ne: null }],
    ["a list", "type", [value]],
  ];
  if (typeof value === "string") {
    changes.push(
      ["a number", "type", 42],
      ["empty", "bounds", ""],
      ["20 000 characters", "bounds", "a".repeat(20_000)],
      ["text with a NUL", "bounds", `${value}\0`],
    );
  } else if (typeof value === "number") {
    changes.push(
      ["a text", "type", String(value)],
      ["a fraction", "bounds", value + 0.5],
      ["negative", "bounds", -1 - Math.abs(value)],
      ["1e308", "bounds", 1e308],
    );
  } else if (typeof value === "boolean") changes.push(["a text", "type", String(value)]);
  else if (Array.isArray(value)) {
    changes.push(
      ["empty", "bounds", []],
      ["of 2 000 elements", "bounds", Array.from({ length: 2000 }, () => value[0] as Json)],
    );
  }
  return changes;
}

/** Mutations that exist only as text. */
function* mutateText(good: string, maxBodyBytes: number, body: Json): Generator<Mutant> {
  const encoder = new TextEncoder();
  const members = isObject(body) ? Object.entries(body) : [];
  if (isObject(body)) {
    const rest = members.length === 0 ? "}" : `,${good.slice(1)}`;
    yield {
      name: "200 levels deep",
      kind: "depth",
      rawBody: `{"undeclared":${"[".repeat(200)}${"]".repeat(200)}${rest}`,
    };
    const levels = Math.min(50_000, Math.floor(maxBodyBytes / 2) - good.length - 20);
    if (levels > 200)
      yield {
        name: `${levels} levels deep`,
        kind: "depth",
        rawBody: `{"undeclared":${"[".repeat(levels)}${"]".repeat(levels)}${rest}`,
      };
  }
  const tooLong = { kind: "size", rawBody: good.padEnd(maxBodyBytes + 1, " ") } as const;
  yield { name: "one byte more than maxBodyBytes", ...tooLong };
  yield {
    name: "one byte more than maxBodyBytes, announced with Expect",
    ...tooLong,
    headers: [["expect", "100-continue"]],
  };
  yield { name: "cut short", kind: "malformed", rawBody: good.slice(0, -1) };
  yield { name: "followed by more", kind: "malformed", rawBody: `${good}{}` };
  yield { name: "empty", kind: "malformed", rawBody: "" };
  yield { name: "not JSON", kind: "malformed", rawBody: "{'a':undefined}" };
  yield { name: "NaN", kind: "malformed", rawBody: "NaN" };
  yield { name: "after a byte order mark", kind: "malformed", rawBody: `\ufeff${good}` };
  const bytes = encoder.encode(good);
  const quote = good.indexOf('"') + 1;
  if (quote > 0)
    yield {
      name: "invalid UTF-8",
      kind: "malformed",
      rawBody: Uint8Array.of(...bytes.subarray(0, quote), 0xc3, 0x28, ...bytes.subarray(quote)),
    };
  for (const contentType of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/json; charset=utf-16",
  ])
    yield { name: `sent as ${contentType}`, kind: "media type", rawBody: good, contentType };
  yield { name: "sent as nothing", kind: "media type", rawBody: good, contentType: null };
  for (const encoding of ["gzip", "br"])
    yield {
      name: `said to be compressed (${encoding})`,
      kind: "media type",
      rawBody: good,
      headers: [["content-encoding", encoding]],
    };
  const text = members.find(([, value]) => typeof value === "string");
  if (text !== undefined && isObject(body))
    yield {
      name: `${text[0]} ends with half a character`,
      kind: "malformed",
      rawBody: JSON.stringify({ ...body, [text[0]]: `${String(text[1])}\ud800` }),
    };
}

/** Longer bodies are no likelier to be read in another way. */
const maxFullBytes = 1_048_576;

/** What is wrong with a short text is wrong with one as long as may be: blanks before it say nothing, and long bodies may be read in other ways. */
function* mutateFull(mutants: readonly Mutant[], maxBodyBytes: number): Generator<Mutant> {
  const bytes = Math.min(maxBodyBytes, maxFullBytes);
  for (const { name, kind, rawBody } of mutants)
    if (typeof rawBody === "string" && rawBody.length < bytes && fullKinds.has(kind))
      yield { name: `${name}, at the end of ${bytes} bytes`, kind, rawBody: rawBody.padStart(bytes, " ") };
}

const fullKinds: ReadonlySet<MutantKind> = new Set(["duplicate key", "prototype key", "depth"]);

function describe(value: Json): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return isObject(value) ? "an empty object" : JSON.stringify(value);
}
