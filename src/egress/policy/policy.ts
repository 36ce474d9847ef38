import { z } from "zod";
import type {
  ContractFunction,
  ContractSecret,
  ContractUse,
  Injector,
  Method,
  Schema,
} from "../../contract/index.ts";
import { listFields } from "../../contract/index.ts";
import { formatPairs, parseJsonBody, parseQuery } from "../../shared/index.ts";
import type { ReadJson } from "../../shared/index.ts";
import type { EgressRefusal } from "../errors.ts";
import { partNames } from "./fold-names.ts";
import { matchPath, patternText } from "./match-path.ts";
import type { Target } from "./read-target.ts";
import { textsOf } from "./texts-of.ts";

/** One thing that a caller may do. */
export interface Grant {
  readonly use: ContractUse;
  /** Its path, as the contract writes it. */
  readonly pattern: string;
  /** What is added to such a request. Undefined: it goes as it is. */
  readonly secret: { readonly name: string; readonly inject: Injector } | undefined;
  /** Query keys that may stand several times, if the use says which there are. */
  readonly lists: ReadonlySet<string>;
}

/** The grants that a request may still be, before its body was looked at; its query fits each. */
export interface Candidates {
  readonly grants: readonly { readonly grant: Grant; readonly query: string }[];
  /** Whether the body decides. */
  readonly needsBody: boolean;
}

/** What is sent, and by which grant. */
export interface Permitted {
  readonly grant: Grant;
  readonly query: string;
  readonly body: Uint8Array | undefined;
  /** The body was written anew, as JSON. */
  readonly isJson: boolean;
}

/** What a contract permits, ready to be asked. Holds no value, and does nothing but decide. */
export interface EgressPolicy {
  /** Whether anything is permitted to this caller. */
  knows(caller: string): boolean;
  /** How many callers something is permitted at each origin. */
  readonly callers: ReadonlyMap<string, number>;
  /** What the request may be, by caller, method, origin, path and query. */
  find(caller: string, method: string, target: Target): Candidates | EgressRefusal;
  /** The one grant that it is, and what is sent by it. */
  decide(
    candidates: Candidates,
    body: Uint8Array | undefined,
    type: string | undefined,
  ): Permitted | EgressRefusal;
}

/** Options of {@link createPolicy}. */
export interface PolicyOptions {
  secrets: ReadonlyMap<string, ContractSecret>;
  functions: ReadonlyMap<string, ContractFunction>;
}

/** Compiles a contract's secrets and functions to a policy. What is not permitted is refused. */
export function createPolicy({ secrets, functions }: PolicyOptions): EgressPolicy {
  const byCaller = new Map<string, Map<string, Grant[]>>();
  const callersAt = new Map<string, Set<string>>();
  const add = (caller: string, use: ContractUse, secret: Grant["secret"]): void => {
    const places = byCaller.get(caller) ?? new Map<string, Grant[]>();
    const key = placeOf(use.method, use.origin);
    const grant = {
      use,
      secret,
      pattern: patternText(use.path),
      lists: use.query === undefined ? none : listFields(use.query),
    };
    byCaller.set(caller, places.set(key, [...(places.get(key) ?? []), grant]));
    callersAt.set(use.origin, (callersAt.get(use.origin) ?? new Set()).add(caller));
  };
  for (const { name, purpose, uses, by, inject } of secrets.values()) {
    if (purpose !== "request" || inject === undefined) continue;
    for (const caller of by) for (const use of uses) add(caller, use, { name, inject });
  }
  for (const { name, reaches } of functions.values())
    for (const use of reaches) add(`fn:${name}`, use, undefined);

  return {
    knows: (caller) => byCaller.has(caller),
    callers: new Map([...callersAt].map(([origin, { size }]) => [origin, size])),
    find(caller, method, target) {
      const grants = byCaller.get(caller)?.get(placeOf(method, target.origin)) ?? [];
      const there = grants.filter(({ use }) => matchPath(use.path, target.segments));
      if (there.length === 0) return undeclared;
      const fitting = there.flatMap((grant) => {
        const query = checkQuery(grant, target.query);
        return query === undefined ? [] : [{ grant, query }];
      });
      if (fitting.length === 0) return unfitQuery;
      return { grants: fitting, needsBody: fitting.some(({ grant }) => grant.use.body !== undefined) };
    },
    decide: ({ grants }, body, type) => {
      const json = onceRead(body, type);
      const fitting = grants.flatMap(({ grant, query }) => {
        const checked = checkBody(grant.use, body, json);
        return checked === undefined ? [] : [{ grant, query, ...checked }];
      });
      return fitting.length === 0 ? unfitBody : theOne(fitting);
    },
  };
}

/** A request that two secrets are declared for gets neither: which one was meant nobody can say. */
function theOne(fitting: readonly Permitted[]): Permitted | EgressRefusal {
  const withSecret = fitting.filter(({ grant }) => grant.secret !== undefined);
  const [first] = withSecret.length > 0 ? withSecret : fitting;
  const names = new Set(withSecret.map(({ grant }) => grant.secret?.name));
  return names.size > 1 || first === undefined ? ambiguous : first;
}

const none: ReadonlySet<string> = new Set();
const placeOf = (method: string, origin: string): string => `${method} ${origin}`;

const undeclared: EgressRefusal = {
  code: "EGRESS_USE_UNDECLARED",
  reason: "the contract declares no such request of this caller",
};
const unfitQuery: EgressRefusal = {
  code: "EGRESS_QUERY_REFUSED",
  reason: "its query is not as the contract declares it",
};
const unfitBody: EgressRefusal = {
  code: "EGRESS_BODY_REFUSED",
  reason: "its body is not as the contract declares it",
};
const ambiguous: EgressRefusal = {
  code: "EGRESS_USE_AMBIGUOUS",
  reason: "the contract declares two secrets for it",
};

/** The query that is sent: as it came if any may come, or else written anew from what was checked. */
function checkQuery({ use, lists }: Grant, text: string): string | undefined {
  if (use.query === undefined) return namesMethod(text) ? undefined : text;
  const given = parseQuery(text, lists);
  const data = given === undefined ? undefined : read(use.query, { ...given });
  return given === undefined || data === undefined ? undefined : formatPairs(textsOf(data as object, given));
}

/** Keys that frameworks take for the method that is meant: a use that is limited to POST would be none. Who needs one declares it. */
const methodKeys = new Set(["_method", "_httpmethod", "http_method_override", "x_http_method_override"]);

const namesMethod = (query: string): boolean =>
  query.split(/[&;]/).some((pair) => !partNames(pair.split("=", 1)[0] ?? "").isDisjointFrom(methodKeys));

const bodiless: ReadonlySet<Method> = new Set(["GET"]);
const jsonType = /^application\/(?:[\w.-]+\+)?json(?:\s*;\s*charset="?utf-8"?)?$/i;
const encoder = new TextEncoder();

/** The body that is sent: as it came if any may come, or else written anew from what was checked, so that no two parsers differ on it. */
function checkBody(
  { method, body: schema }: ContractUse,
  body: Uint8Array | undefined,
  json: () => ReadJson | undefined,
): Pick<Permitted, "body" | "isJson"> | undefined {
  if (body !== undefined && bodiless.has(method)) return undefined;
  if (schema === undefined) return { body, isJson: false };
  const given = json();
  const text =
    given === undefined || given.fault !== undefined ? undefined : asJson(read(schema, given.value));
  return text === undefined ? undefined : { body: encoder.encode(text), isJson: true };
}

/** Reads a body as JSON when it is first asked for, however many grants ask. Undefined: it is none. */
function onceRead(body: Uint8Array | undefined, type: string | undefined): () => ReadJson | undefined {
  let read: ReadJson | undefined;
  return () => {
    if (body === undefined || type === undefined || !jsonType.test(type)) return undefined;
    return (read ??= parseJsonBody(body));
  };
}

/** What a schema makes of a value. Undefined: it says no, and so does one that waits for something, or throws. */
function read(schema: Schema, value: unknown): unknown {
  try {
    const { success, data } = z.core.safeParse(schema, value);
    return success ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined: it can't be written as JSON. */
function asJson(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    return undefined;
  }
}
