import type { Access } from "../access.ts";
import { ownerLookup } from "../access/owner-lookup.ts";
import { check } from "../access/check.ts";
import type { CheckTest } from "../access/check.ts";
import type { Problems } from "./problems.ts";
import { checkNames, flag, isMembers, number, quote } from "./values.ts";
import type { Members } from "./values.ts";

type Condition = Exclude<Access, { kind: "allOf" | "anyOf" }>;
type Read = (problems: Problems, where: string, value: Members) => Condition | undefined;

const anyName = /./;
/** RFC 6749 §3.3 */
const scopeName = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const paramName = /^\w+$/;
const fieldPath = /^[\w-]+(\.[\w-]+)*$/;
const checkName = /^[A-Za-z][\w-]{0,59}$/;

/** What each condition is made of, by its name; nothing else of what was written is kept. */
const readers: { readonly [Kind in Condition["kind"]]: Read } = {
  everyone: () => ({ kind: "everyone" }),
  signedIn: () => ({ kind: "signedIn" }),
  role: named("role", anyName, (role) => ({ kind: "role", role })),
  scope: named("scope", scopeName, (scope) => ({ kind: "scope", scope })),
  owner: named("param", paramName, (param) => ({ kind: "owner", param })),
  tenant: named("param", paramName, (param) => ({ kind: "tenant", param })),
  ownerField: named("field", fieldPath, (field) => ({ kind: "ownerField", field })),
  ownerLookup: readLookup,
  check: readCheck,
};

/** Reads one condition; undefined if it is none, which is told. */
export function readCondition(problems: Problems, where: string, value: unknown): Condition | undefined {
  if (isMembers(value) && isKind(value["kind"])) return readers[value["kind"]](problems, where, value);
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}: access must be ${written.join(", ")}, or allOf(…) or anyOf(…) of them, not ${quote(value)}.`,
    wordHint(value),
  );
}

/** A condition is a value that is imported, not its name. */
function wordHint(value: unknown): string | undefined {
  const name = typeof value === "string" ? (/^\w+/.exec(value)?.[0] ?? "") : "";
  return isKind(name) || name === "allOf" || name === "anyOf"
    ? `Write it without quotes, and  import { ${name} } from "curtainwall";`
    : undefined;
}

const isKind = (kind: unknown): kind is Condition["kind"] =>
  typeof kind === "string" && Object.hasOwn(readers, kind);

const written = [
  "everyone",
  "signedIn",
  'role("…")',
  'scope("…")',
  'owner("…")',
  'tenant("…")',
  'ownerField("…")',
  "ownerLookup({ … })",
  'check("…", …)',
];

function named(member: string, grammar: RegExp, make: (name: string) => Condition): Read {
  return (problems, where, value) => {
    const name = value[member];
    if (typeof name === "string" && grammar.test(name)) return make(name);
    return problems.add("CONTRACT_OPTION_INVALID", `${where}: ${String(value["kind"])}() needs a name.`);
  };
}

function readLookup(problems: Problems, where: string, value: Members): Condition | undefined {
  const at = `${where}, ownerLookup()`;
  checkNames(problems, at, value, ["kind", "get", "field", "from", "ifMatch"]);
  const { get, field, from } = value;
  const text = (name: string, grammar: RegExp): boolean => {
    const given = value[name];
    if (typeof given === "string" && grammar.test(given)) return true;
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at}: ${name} can't be ${quote(given)}.`,
      'Write  ownerLookup({ get: "/api/orders/:id", field: "customerId" })',
    );
    return false;
  };
  const isWhole = [text("get", /^\//), text("field", fieldPath), from === undefined || text("from", /./)];
  const ifMatch = flag(problems, `${at}, ifMatch`, value["ifMatch"]);
  return isWhole.includes(false)
    ? undefined
    : ownerLookup({
        get: get as string,
        field: field as string,
        ...(from === undefined ? {} : { from: from as string }),
        ...(ifMatch ? { ifMatch } : {}),
      });
}

function readCheck(problems: Problems, where: string, value: Members): Condition | undefined {
  const { name, test } = value;
  const at = `${where}, check(${quote(name)})`;
  checkNames(problems, at, value, ["kind", "name", "test", "body", "timeoutMs"]);
  const body = flag(problems, `${at}, body`, value["body"]);
  const timeoutMs = number(problems, `${at}, timeoutMs`, value["timeoutMs"], {
    min: 1,
    max: 10_000,
    fallback: 250,
  });
  if (typeof name !== "string" || !checkName.test(name))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: check() needs a name of letters, digits, "_" and "-".`,
      'Write  check("small-order", ({ body }) => …, { body: true })',
    );
  if (typeof test !== "function")
    return problems.add("CONTRACT_OPTION_INVALID", `${at} needs a function, not ${quote(test)}.`);
  // Its text is what the lock compares.
  if (/\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(test)))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at} is given a function without a text of its own, so that nobody could tell when it changes.`,
      `Write  check(${quote(name)}, (facts) => bound(facts))`,
    );
  return check(name, test as CheckTest, { body, timeoutMs });
}
