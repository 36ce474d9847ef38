import { z } from "zod";
import { doUsesMeet, textOfUse } from "../../../contract/index.ts";
import type { Contract, ContractUse, Method, Schema } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AskedUse } from "../../probes/secrets-probe.ts";
import { noProbe, withoutSecrets } from "../own-machine.ts";
import { askAll, askedOf, exampleOf, grantsOf, usersOfSecrets } from "./questions.ts";
import type { Expected, Question } from "./questions.ts";

/** A request that is somewhat more than a grant has, and how it is more. */
interface Excess {
  readonly how: string;
  readonly use: AskedUse;
  readonly expected: Expected;
  /** Why nobody can ask. */
  readonly unaskable?: string;
}

/** Each grant, and one step beyond it in each direction that it bounds. */
export const grantBounds: Check = {
  name: "no grant reaches beyond its method, origin, path, query and body",
  kind: "live",
  attack: { kind: "egress", promise: "secrets", per: "site" },
  isActive: true,
  notApplicable: withoutSecrets,
  run: async ({ secrets, contract }, tally) => {
    if (secrets === undefined) return tally.miss(noProbe);
    const beyond = excessesOf(contract);
    for (const { about, excess } of beyond)
      if (excess.unaskable !== undefined) tally.miss(`${about}: ${excess.unaskable}`);
    const questions = beyond.filter(({ excess }) => excess.unaskable === undefined);
    const counts = await askAll(
      secrets,
      questions.map(({ asker, about, excess: { use, expected } }) => ({ asker, about, use, expected })),
      tally,
    );
    for (const [answer, count] of Object.entries(counts))
      tally.pass({
        kind: "measurement",
        about: `requests one step beyond a grant: ${answer}`,
        value: count,
        unit: "questions",
      });
  },
};

function excessesOf(contract: Contract): (Pick<Question, "asker" | "about"> & { readonly excess: Excess })[] {
  return usersOfSecrets(contract).flatMap((user) => {
    const grants = grantsOf(contract, user);
    const group = contract.functions.get(user.slice("fn:".length))?.group;
    return grants.flatMap((use) =>
      [
        ...placesBeyond(use, grants),
        ...headBeyond(use),
        ...queryBeyond(use, grants),
        ...bodyBeyond(use, grants),
      ].map((excess) => ({
        asker: { user, group },
        about: `${user} has ${textOfUse(use)} and asks for ${excess.how}`,
        excess,
      })),
    );
  });
}

const methods: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Another method, origin or path, unless another grant of the same user has it. */
function placesBeyond(use: ContractUse, grants: readonly ContractUse[]): Excess[] {
  const example = exampleOf(use);
  const { origin } = example;
  const path = example.path.filter((segment) => segment !== "");
  const { protocol, hostname, port } = new URL(origin);
  const others: (readonly [how: string, use: ContractUse])[] = [
    ...methods.map((method) => [`${method} instead`, { ...example, method }] as const),
    ["another host", { ...example, origin: "https://audit.invalid" }],
    ["another port", { ...example, origin: `${protocol}//${hostname}:${port === "9" ? 19 : 9}` }],
    ["what lies below it", { ...example, path: [...path, "audit"] }],
    ["what lies beside it", { ...example, path: [...path.slice(0, -1), "audit-beside"] }],
    ["what lies above it", { ...example, path: path.slice(0, -1) }],
  ];
  return others
    .filter(([, other]) => !grants.some((grant) => doUsesMeet(grant, other)))
    .map(([how, other]) => ({ how, use: askedOf(other), expected: "refused" }));
}

/** HEAD is no GET to egress: what a service does on it, and counts, is its own business. */
const headBeyond = (use: ContractUse): Excess[] => [
  {
    how: "HEAD instead",
    use: { ...askedOf(exampleOf(use)), method: "HEAD" },
    expected: "refused",
  },
];

/** Grants of the same user that a request could be by. */
const rivalsOf = (use: ContractUse, grants: readonly ContractUse[]): readonly ContractUse[] =>
  grants.filter((grant) => doUsesMeet(grant, exampleOf(use)));

/** A query key that nobody declared; where any may come, one that frameworks take for the method that is meant. */
function queryBeyond(use: ContractUse, grants: readonly ContractUse[]): Excess[] {
  const asked = askedOf(exampleOf(use));
  if (rivalsOf(use, grants).some(({ query }) => query === undefined))
    return [
      {
        how: "it with another method named in the query",
        use: { ...asked, path: `${asked.path}?_method=DELETE` },
        expected: "query refused",
      },
    ];
  return [
    {
      how: "it with a query key that is not declared",
      use: { ...asked, path: `${asked.path}?audit-undeclared=1` },
      expected: "query refused",
    },
  ];
}

/** Nothing, written as JSON: what no service acts on, should egress let it through. */
function bodyBeyond(use: ContractUse, grants: readonly ContractUse[]): Excess[] {
  const rivals = rivalsOf(use, grants);
  if (rivals.some(({ body }) => body === undefined || takes(body, null))) return [];
  const needsQuery = rivals.some(({ query }) => query !== undefined && !takes(query, {}));
  const unaskable = needsQuery ? { unaskable: "its query is judged first, and none that fits is known" } : {};
  const asked = askedOf(exampleOf(use));
  return bodyTypes.map(([said, type]): Excess =>
    Object.assign(
      {
        how: `it with another body${said}`,
        use: { ...asked, body: "null", type },
        expected: "body refused",
      } as const,
      unaskable,
    ),
  );
}

/** What a body is said to be: a check of JSON may be left out for what is not called so, and its service reads it all the same. */
const bodyTypes = [
  ["", "application/json"],
  [", said to be a text", "text/plain"],
  [", said to be JSON in another charset", "application/json; charset=latin1"],
  [", said to be a form", "application/x-www-form-urlencoded"],
  [", of no type", null],
] as const;

const takes = (schema: Schema, value: unknown): boolean => z.core.safeParse(schema, value).success;
