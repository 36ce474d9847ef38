import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { asksWhose, mayTouchOthers } from "../../requests/inputs.ts";
import { besideQueries, spellings } from "../../requests/other-spellings.ts";
import { ownedReads, seenByOwner, withoutOwned } from "./owned.ts";
import type { Owned } from "./owned.ts";
import { protectedRoutes, see } from "../shared.ts";

/** The first who owns something there too, and may have nothing that is somebody else's. */
function intruderOf(context: AuditContext, all: readonly Owned[], owned: Owned): Owned | undefined {
  return all.find(
    ({ route, as }) =>
      route === owned.route &&
      as !== owned.as &&
      !mayTouchOthers(route.access, context.plan.identities?.[as]),
  );
}

/** At most so many owners a route: what lets one through lets all through. */
const maxOwners = 2;

/** Whoever compares one spelling and looks up another gives out what was not compared. */
export const otherSpellings: Check = {
  name: "user A asks for what is B's in other spellings, beside its own and twice",
  kind: "live",
  isActive: true,
  attack: { kind: "objects", promise: "access", per: "route" },
  notApplicable: withoutOwned,
  run: async (context, tally) => {
    const all = ownedReads(context);
    const routes = new Set(
      protectedRoutes(context).filter((route) => route.method === "GET" && asksWhose(route)),
    );
    for (const route of routes) {
      const owners = all.filter((owned) => owned.route === route).slice(0, maxOwners);
      if (owners.length < 2)
        tally.miss(`${route.key}: the plan gives fewer than two identities an object with a canary`);
      for (const owned of owners) {
        const intruder = intruderOf(context, all, owned);
        if (intruder === undefined) tally.miss(`${route.key}: nobody in the plan owns something else there`);
        else if (await seenByOwner(context, tally, owned)) await misspell(context, tally, owned, intruder);
      }
    }
  },
};

async function misspell(context: AuditContext, tally: Tally, owned: Owned, intruder: Owned): Promise<void> {
  const { route, input, canary } = owned;
  const judge = async (
    what: string,
    bent: { rawParams?: Record<string, string>; rawQuery?: string },
  ): Promise<void> => {
    const exchange = await context.caller.call({ route, as: intruder.as, input: intruder.input, ...bent });
    tally.expect(
      !exchange.response.text().includes(canary),
      see(
        context,
        `${route.key}: ${intruder.as} does not get what is ${owned.as}'s, named ${what}`,
        exchange,
      ),
    );
  };
  const encoded = Object.fromEntries(
    Object.entries(intruder.input.params ?? {}).map(([name, value]) => [name, encodeURIComponent(value)]),
  );
  for (const [param, others] of Object.entries(input.params ?? {})) {
    const own = intruder.input.params?.[param];
    if (own === undefined || own === others) continue;
    for (const { name, raw } of spellings(own, others))
      await judge(name, { rawParams: { ...encoded, [param]: raw } });
    for (const { name, raw } of besideQueries(param, own, others)) await judge(name, { rawQuery: raw });
  }
  const query = Object.entries(input.query ?? {}).filter(
    ([name, value]) => String(intruder.input.query?.[name]) !== String(value),
  );
  for (const [name, value] of query) {
    const pairs = (values: readonly unknown[]): string =>
      values
        .flat()
        .map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`)
        .join("&");
    const own = intruder.input.query?.[name] ?? [];
    await judge(`in the query, after its own`, { rawQuery: pairs([own, value]) });
    await judge(`in the query, before its own`, { rawQuery: pairs([value, own]) });
  }
}
