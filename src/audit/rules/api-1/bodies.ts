import { z } from "zod";
import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, mayTouchOthers } from "../../requests/inputs.ts";
import { ownedReads, seenByOwner, withoutOwned } from "./owned.ts";
import type { Owned } from "./owned.ts";
import { protectedRoutes, see } from "../shared.ts";

/** A body may name what the path does not: and whoever reads it there has compared something else. */
export const othersInBodies: Check = {
  name: "user A names what is B's in a body",
  kind: "live",
  isActive: true,
  attack: { kind: "objects", promise: "body", per: "site" },
  notApplicable: (context) =>
    withoutOwned(context) ??
    (writers(context).length === 0 ? "no route that needs a caller takes a JSON body" : undefined),
  run: async (context, tally) => {
    const all = ownedReads(context);
    for (const route of writers(context)) {
      const [honest] = honestCalls(context, route).filter(
        ({ as }) => as !== undefined && !mayReadOthers(context, as),
      );
      const owned = all.filter(({ as }) => as !== honest?.as);
      const [victim] = owned;
      if (honest?.as === undefined || victim === undefined) {
        tally.miss(`${route.key}: the plan has no two identities, one to call it and one with a canary`);
        continue;
      }
      const theirs = owned.filter(({ as }) => as === victim.as);
      const before = await textsOf(context, theirs);
      if (!(await seenByOwner(context, tally, victim))) continue;
      for (const [what, body] of bentBodies(route, honest.input.body, theirs)) {
        const exchange = await context.caller.call({
          route,
          as: honest.as,
          input: { ...honest.input, body },
        });
        const sent = JSON.stringify(body);
        const leaked = theirs.find(
          ({ canary }) => !sent.includes(canary) && exchange.response.text().includes(canary),
        );
        tally.expect(
          leaked === undefined,
          see(context, `${route.key}: ${honest.as} gets nothing of ${victim.as}'s by ${what}`, exchange),
        );
      }
      const after = await textsOf(context, theirs);
      const about = `${route.key}: what is ${victim.as}'s, before and after ${honest.as} named it in bodies`;
      const unread = [...before, ...after].find((text) => typeof text !== "string");
      if (unread !== undefined) {
        tally.miss(`${about}: ${victim.as} could not read it, and was answered ${unread.refusedWith}`);
        continue;
      }
      const isSame = before.every((text, index) => text === after[index]);
      tally.expect(isSame, { kind: "measurement", about, value: isSame ? "the same" : "changed" });
    }
  },
};

/** What owners read. No word of a server that has no time, or no more of it for this caller, is a change of what it keeps. */
function textsOf(
  context: AuditContext,
  owned: readonly Owned[],
): Promise<(string | { readonly refusedWith: number })[]> {
  return Promise.all(
    owned.map(async ({ route, as, input }) => {
      const { response } = await context.caller.call({ route, as, input });
      const { status } = response;
      return status === 429 || status >= 500 ? { refusedWith: status } : response.text();
    }),
  );
}

/** Routes that write, for somebody, what a JSON body says. */
function writers(context: AuditContext): ContractRoute[] {
  return protectedRoutes(context).filter(
    ({ body, bodyType, method, webhook }) =>
      body !== undefined && bodyType === "json" && method !== "GET" && webhook === undefined,
  );
}

const mayReadOthers = (context: AuditContext, name: string): boolean =>
  ownedReads(context).some(({ route }) => mayTouchOthers(route.access, context.plan.identities?.[name]));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A body that names somebody else's things: in members that it has, where the schema lets it, and in some that it has not. */
function bentBodies(
  { body: schema }: ContractRoute,
  body: unknown,
  theirs: readonly Owned[],
): [what: string, body: unknown][] {
  if (!isObject(body)) return [];
  const ids = new Map(theirs.flatMap(({ input }) => Object.entries(input.params ?? {})));
  // What is written may be kept, and read again in what is the writer's own: a canary must not be planted there.
  const isCanary = (id: string): boolean => theirs.some(({ canary }) => id.includes(canary));
  const harmless = [...ids.values()].find((id) => !isCanary(id));
  const anyId = harmless ?? [...ids.values()][0] ?? "";
  const owner = accessParts(theirs[0]?.route.access ?? { kind: "everyone" }).flatMap((part) =>
    part.kind === "ownerField" || part.kind === "ownerLookup" ? [part.field] : [],
  );
  const extra = [
    ...ids,
    ["id", anyId] as const,
    ["_id", anyId] as const,
    ...owner.map((name) => [name, anyId] as const),
  ];
  const shape = harmless === undefined ? [] : memberTexts(schema, body, harmless);
  return [
    ...extra.map(([name, id]): [string, unknown] => [
      `the member ${name} beside the others`,
      { ...body, [name]: id },
    ]),
    ...shape.map((name): [string, unknown] => [`its id in ${name}`, { ...body, [name]: anyId }]),
  ];
}

/** Members of a body, declared or there, that may hold a text. */
function memberTexts(
  schema: ContractRoute["body"],
  body: Readonly<Record<string, unknown>>,
  id: string,
): string[] {
  if (schema === undefined) return [];
  const shape = (schema as { _zod?: { def?: { shape?: object } } })._zod?.def?.shape ?? {};
  return [...new Set([...Object.keys(shape), ...Object.keys(body)])].filter(
    (name) => z.safeParse(schema, { ...body, [name]: id }).success,
  );
}
