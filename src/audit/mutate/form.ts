import { z } from "zod";
import { listFields, memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { hostileTexts } from "../requests/hostile-texts.ts";
import { formOf, writePairs } from "../requests/input-values.ts";
import type { Pairs } from "../requests/input-values.ts";
import type { Mutant } from "./mutate.ts";
import { nearlyAsText } from "./nearly.ts";
import { textFor } from "./schema-value.ts";
import type { AuditInput } from "../plan/plan.ts";

/** Every mutation of a URL-encoded form: of its fields, and of how they are written. */
export function* mutateForm(route: ContractRoute, input: AuditInput): Generator<Mutant> {
  const fields = formOf(route, input);
  if (fields === undefined) return;
  yield* mutateFields(route, fields);
  yield* mutateWriting(route, fields);
}

function* mutateFields({ body: schema, maxBodyBytes }: ContractRoute, fields: Pairs): Generator<Mutant> {
  if (schema === undefined) return;
  const lists = listFields(schema);
  const isRefused = (changed: Pairs): boolean => !z.safeParse(schema, changed).success;
  for (const name of new Set([...Object.keys(fields), ...memberNames(schema)])) {
    const { [name]: given = lists.has(name) ? [] : "", ...rest } = fields;
    const changes: [what: string, kind: Mutant["kind"], fields: Pairs][] = hostileTexts.map(
      ([what, kind, value]) => [what, kind, { ...fields, [name]: lists.has(name) ? [value] : value }],
    );
    changes.push(["missing", "missing key", rest]);
    changes.push(["empty", "bounds", { ...fields, [name]: lists.has(name) ? [""] : "" }]);
    changes.push([
      "an object in brackets",
      "type",
      { ...rest, [`${name}[$ne]`]: typeof given === "string" ? given : (given[0] ?? "") },
    ]);
    if (lists.has(name))
      changes.push([
        "there 40 times",
        "bounds",
        { ...fields, [name]: Array.from({ length: 40 }, () => given[0] ?? "") },
      ]);
    const takes = lists.has(name) ? undefined : (fields[name] ?? textFor(schema, name));
    if (typeof takes === "string")
      for (const near of nearlyAsText(takes, (text) => isRefused({ ...fields, [name]: text })))
        changes.push([near.name, "bounds", { ...fields, [name]: near.value }]);
    for (const [what, kind, changed] of changes) {
      const rawBody = writePairs(changed);
      if (rawBody.length > maxBodyBytes || !isRefused(changed)) continue;
      yield { name: `${name} is ${what}`, kind, rawBody };
    }
    if (lists.has(name) || !Object.hasOwn(fields, name)) continue;
    const pair = writePairs({ [name]: given });
    yield { name: `${name} stands twice`, kind: "duplicate key", rawBody: `${writePairs(fields)}&${pair}` };
    const escaped = `%${name.charCodeAt(0).toString(16).padStart(2, "0")}${pair.slice(1)}`;
    if (/^\w/.test(pair))
      yield {
        name: `${name} stands twice, once escaped`,
        kind: "duplicate key",
        rawBody: `${writePairs(fields)}&${escaped}`,
      };
  }
}

function* mutateWriting({ maxBodyBytes }: ContractRoute, fields: Pairs): Generator<Mutant> {
  const good = writePairs(fields);
  const more = (text: string): string => (good === "" ? text : `${good}&${text}`);
  yield { name: "a field that is not declared", kind: "extra key", rawBody: more("undeclared=1") };
  yield { name: "a field in brackets", kind: "extra key", rawBody: more("undeclared[nested]=1") };
  for (const name of ["__proto__", "constructor", "__proto__[polluted]", "constructor[prototype][polluted]"])
    yield { name: `a field ${name}`, kind: "prototype key", rawBody: more(`${encodeURIComponent(name)}=1`) };
  yield {
    name: "one byte more than maxBodyBytes",
    kind: "size",
    rawBody: more("").padEnd(maxBodyBytes + 1, "a"),
  };
  const [name = "a"] = Object.keys(fields);
  const { [name]: _, ...rest } = fields;
  const others = writePairs(rest);
  const spelled = (value: string): string =>
    others === "" ? `${name}=${value}` : `${others}&${name}=${value}`;
  yield { name: "a broken percent-encoding", kind: "malformed", rawBody: spelled("%zz") };
  yield { name: "a percent-encoding cut short", kind: "malformed", rawBody: spelled("a%e") };
  yield { name: "invalid UTF-8, escaped", kind: "malformed", rawBody: spelled("%c3%28") };
  yield { name: "an overlong encoding of /", kind: "malformed", rawBody: spelled("%c0%af") };
  yield { name: "half of a surrogate pair", kind: "malformed", rawBody: spelled("%ed%a0%80") };
  yield { name: "a NUL, escaped", kind: "malformed", rawBody: spelled("a%00b") };
  const bytes = new TextEncoder().encode(spelled("a"));
  yield { name: "invalid UTF-8", kind: "malformed", rawBody: Uint8Array.of(...bytes, 0xc3, 0x28) };
  yield {
    name: "JSON, sent as JSON",
    kind: "media type",
    rawBody: JSON.stringify(fields),
    contentType: "application/json",
    status: 415,
  };
  for (const contentType of [
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencodedx",
    "application/x-www-form-urlencoded; charset=utf-16",
  ])
    yield { name: `sent as ${contentType}`, kind: "media type", rawBody: good, contentType };
  yield { name: "sent as nothing", kind: "media type", rawBody: good, contentType: null };
}
