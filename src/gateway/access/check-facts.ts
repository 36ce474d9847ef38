import type { CheckFacts } from "../../contract/index.ts";
import type { Caller } from "../types.ts";

/** What is known of a request, for checks of the contract's own: frozen copies, so that what they keep or change is nobody else's. */
export function checkFacts(caller: Caller, params: object, query: object): CheckFacts {
  const { subject, roles, scopes = [], tenant, keyId } = caller;
  return Object.freeze({
    caller: Object.freeze({
      subject,
      roles: Object.freeze([...roles]),
      scopes: Object.freeze([...scopes]),
      tenant,
      keyId,
    }),
    params: frozenCopy(params) as CheckFacts["params"],
    query: frozenCopy(query) as CheckFacts["query"],
    body: undefined,
  });
}

/** The same with the body. */
export const withBody = (facts: CheckFacts, body: unknown): CheckFacts =>
  Object.freeze({ ...facts, body: frozenCopy(body) });

/** Checked JSON, and what schemas make of it. Its depth was bounded when it was read. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return copied(value);
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])),
  );
}

/**
 * A date, a map: what it holds can't be frozen, but copied. What can't be copied, an address for one, is shown as the upstream will be given it.
 */
function copied(value: object): unknown {
  try {
    return structuredClone(value);
  } catch {
    const text = JSON.stringify(value) as string | undefined;
    // Undefined would tell a check that it is not there.
    if (text === undefined) throw new TypeError("It has no copy, and is no JSON");
    return frozenCopy(JSON.parse(text));
  }
}
