import { z } from "zod";
import { memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { hostileTexts } from "../requests/hostile-texts.ts";
import { lowerCased, writeCookies } from "../requests/input-values.ts";
import type { Mutant } from "./mutate.ts";
import type { AuditInput } from "../plan/plan.ts";

/** What can be sent as a field value at all: no client of ours writes a line break or a NUL into one. */
const canStand = /^[\t -~]*$/;

/** Every mutation of the request headers that a route declares. What it does not declare does not reach the upstream, which nobody sees from outside. */
export function* mutateHeaders({ headers: schema }: ContractRoute, input: AuditInput): Generator<Mutant> {
  if (schema === undefined) return;
  const good = lowerCased(input.headers);
  const isRefused = (changed: Readonly<Record<string, string>>): boolean =>
    !z.safeParse(schema, changed).success;
  for (const name of memberNames(schema)) {
    const { [name]: given, ...others } = good;
    const lines = Object.entries(others);
    for (const [what, kind, value] of hostileTexts)
      if (canStand.test(value) && isRefused({ ...good, [name]: value }))
        yield { name: `header ${name} is ${what}`, kind, rawHeaders: [...lines, [name, value]] };
    yield {
      name: `header ${name} is not ASCII`,
      kind: "malformed",
      rawHeaders: [...lines, [name, `${given ?? "a"}\u00e9`]],
    };
    if (given === undefined) continue;
    if (isRefused(others))
      yield { name: `header ${name} is missing`, kind: "missing key", rawHeaders: lines };
    // Several lines are one list (RFC 9110 §5.3): refused unless that is what the schema takes.
    if (isRefused({ ...good, [name]: `${given}, ${given}` }))
      yield {
        name: `header ${name} twice`,
        kind: "duplicate key",
        rawHeaders: [...lines, [name, given], [name, given]],
      };
  }
}

/** What may stand in a cookie's value, so that a mutant is refused for what it says and not for how it is written. */
const cookieValue = /^[!#-+\--:<-[\]-~]*$/;

/** Every mutation of the cookies that a route declares. */
export function* mutateCookies({ cookies: schema }: ContractRoute, input: AuditInput): Generator<Mutant> {
  if (schema === undefined) return;
  const good = { ...input.cookies };
  const isRefused = (changed: Readonly<Record<string, string>>): boolean =>
    !z.safeParse(schema, changed).success;
  for (const name of memberNames(schema)) {
    const { [name]: given, ...others } = good;
    for (const [what, kind, value] of hostileTexts)
      if (cookieValue.test(value) && isRefused({ ...good, [name]: value }))
        yield {
          name: `cookie ${name} is ${what}`,
          kind,
          rawCookie: writeCookies({ ...good, [name]: value }),
        };
    yield {
      name: `cookie ${name} with a quote inside`,
      kind: "malformed",
      rawCookie: writeCookies({ ...others, [name]: 'a"b' }),
    };
    if (given === undefined) continue;
    if (isRefused(others))
      yield { name: `cookie ${name} is missing`, kind: "missing key", rawCookie: writeCookies(others) };
    const all = writeCookies(good);
    yield { name: `cookie ${name} twice`, kind: "duplicate key", rawCookie: `${all}; ${name}=${given}` };
    // One that a neighbouring host or a longer path planted comes first, or last: servers differ on which they read.
    yield {
      name: `cookie ${name} shadowed by another`,
      kind: "duplicate key",
      rawCookie: `${name}=planted; ${all}`,
    };
  }
}
