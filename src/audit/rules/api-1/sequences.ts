import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { asksWhose, honestCalls, lacking, mayCall, mayTouchOthers } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { AuditInput } from "../../plan/plan.ts";
import type { Exchange } from "../../probes/probe.ts";
import { isRefusal, isSuccess, see, withoutProtectedRoutes } from "../shared.ts";
import { expectRefusal } from "./given-away.ts";
import { createWrites, goneFromLists, keptToOwner, listsOf } from "./made-elsewhere.ts";
import type { ListOf } from "./made-elsewhere.ts";

/** Routes that make something, and those that do something with what was made. */
interface Sequence {
  create: ContractRoute;
  /** The parameter that names what was made. */
  param: string;
  read: ContractRoute;
  change: ContractRoute | undefined;
  remove: ContractRoute | undefined;
  /** What else tells of the same thing alone: its receipt, say. */
  views: readonly ContractRoute[];
}

/** Sequences among a contract's routes: `POST /x`, `GET /x/:id`, and what changes or deletes it. Those alone whose objects have an owner. */
function sequencesOf({ contract: { routes } }: AuditContext): Sequence[] {
  return routes.flatMap((create) => {
    const last = create.segments.length;
    if (create.method !== "POST" || create.response === undefined || create.webhook !== undefined) return [];
    const items = routes.filter(
      (route) =>
        route.segments.length === last + 1 &&
        route.path.startsWith(`${create.path}/`) &&
        "param" in (route.segments[last] ?? {}),
    );
    const by = (...methods: string[]): ContractRoute | undefined =>
      items.find(({ method }) => methods.includes(method));
    const [read, change, remove] = [by("GET"), by("PATCH", "PUT"), by("DELETE")];
    const segment = read?.segments[last];
    if (read === undefined || segment === undefined || !("param" in segment)) return [];
    if ((change ?? remove) === undefined || !asksWhose(read)) return [];
    return [{ create, param: segment.param, read, change, remove, views: viewsOf(routes, read) }];
  });
}

const viewsOf = (routes: readonly ContractRoute[], { path, segments }: ContractRoute): ContractRoute[] =>
  routes.filter(
    (route) =>
      route.method === "GET" &&
      route.stream?.kind !== "events" &&
      route.path.startsWith(`${path}/`) &&
      route.segments.slice(segments.length).every((segment) => "text" in segment),
  );

/** Step by step, as an application is used: what is new is nobody else's either, and what is gone is gone. */
export const sequences: Check = {
  name: "user A's new object: others neither read, change nor delete it, and once deleted it is gone",
  kind: "live",
  isActive: true,
  attack: { kind: "sequences", promise: "access", per: "site" },
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    (sequencesOf(context).length === 0
      ? "no route makes something with an owner that another route changes or deletes"
      : undefined),
  run: async (context, tally) => {
    for (const sequence of sequencesOf(context)) {
      const makers = honestCalls(context, sequence.create).filter(({ as }) => as !== undefined);
      if (makers.length === 0) tally.miss(lacking(context, sequence.create));
      else if (makers.length < 2)
        tally.miss(`${sequence.create.key}: the plan gives fewer than two identities that make something`);
      for (const maker of makers.slice(0, 2)) await live(context, tally, sequence, maker);
    }
  },
};

/** What was made in a sequence, and whose it is. */
interface Made extends Sequence {
  id: string;
  as: string;
  params: Readonly<Record<string, string>>;
  isGone: boolean;
}

async function live(
  context: AuditContext,
  tally: Tally,
  sequence: Sequence,
  { as = "", input }: HonestCall,
): Promise<void> {
  const { create, param, remove } = sequence;
  const exchange = await context.caller.call({ route: create, as, input });
  const id = nameOf(exchange, param);
  if (id === undefined)
    return tally.miss(`${create.key}: its answer (${exchange.response.status}) names nothing that was made`);
  const made: Made = { ...sequence, id, as, params: { [param]: id }, isGone: false };
  try {
    const lists = await listsOf(context, made);
    await keptToOwner(context, tally, lists, made);
    await meddle(context, tally, made);
    await use(context, tally, made, lists);
  } finally {
    if (remove !== undefined && !made.isGone) await act(context, made, remove, as);
  }
}

/** What an answer calls what was made: by the parameter's name, else `id`. */
function nameOf({ response }: Exchange, param: string): string | undefined {
  if (!isSuccess(response.status)) return undefined;
  try {
    const body = JSON.parse(response.text()) as Record<string, unknown> | null;
    const name = body?.[param] ?? body?.["id"];
    return typeof name === "string" || typeof name === "number" ? String(name) : undefined;
  } catch {
    return undefined;
  }
}

/** How long is waited for what is done after it was refused. */
const patienceMs = 250;

/** Others try, and it stays as it was, a moment later too. */
async function meddle(context: AuditContext, tally: Tally, made: Made): Promise<void> {
  const { as, read, change, remove, create, views } = made;
  const before = await act(context, made, read, as);
  if (!isSuccess(before.response.status))
    return tally.fail(see(context, `${read.key}: ${as} reads what ${create.key} just made`, before));
  const sent = await createWrites(context, made);
  for (const route of [read, ...views, change, remove]) {
    if (route === undefined) continue;
    if (route.body !== undefined && honestCall(context, route, as) === undefined) {
      tally.miss(lacking(context, route));
      continue;
    }
    const control = views.includes(route) ? await act(context, made, route, as) : before;
    for (const intruder of [undefined, ...intruders(context, route, as)])
      expectRefusal(context, tally, {
        about: `${route.key}: ${intruder ?? "a visitor"} has no part in what ${as} just made (401, 403 or 404)`,
        exchange: await act(context, made, route, intruder),
        told: { canary: undefined, control, route },
        refuses: (status) => isRefusal(status) || status === 404,
      });
  }
  await context.sleep(patienceMs);
  const after = await act(context, made, read, as);
  tally.expect(
    after.response.text() === before.response.text(),
    see(context, `${read.key}: after that ${as} still reads what it was`, after),
  );
  await sent.expectNone(tally);
}

/** Who may have nothing of this that is somebody else's. */
function intruders(context: AuditContext, route: ContractRoute, owner: string): string[] {
  return Object.entries(context.plan.identities ?? {})
    .filter(([name, identity]) => name !== owner && !mayTouchOthers(route.access, identity))
    .filter(([name]) => !context.tokens.isProgram(name) || mayCall(context, route, name))
    .map(([name]) => name);
}

/** Its owner changes and deletes it: else nobody else's failing to would prove nothing. */
async function use(context: AuditContext, tally: Tally, made: Made, lists: readonly ListOf[]): Promise<void> {
  const { as, read, change, remove, views } = made;
  const before = await act(context, made, read, as);
  if (change !== undefined) {
    const changed = await act(context, made, change, as);
    const after = await act(context, made, read, as);
    const isChanged = isSuccess(changed.response.status) && after.response.text() !== before.response.text();
    if (isChanged) tally.pass(see(context, `${change.key}: ${as} changes its own`, changed));
    else tally.miss(`${change.key}: what ${as} changed of its own is not seen (${changed.response.status})`);
  }
  if (remove === undefined) return;
  const told = new Map<ContractRoute, Exchange>();
  for (const route of [read, ...views]) told.set(route, await act(context, made, route, as));
  const removed = await act(context, made, remove, as);
  made.isGone = isSuccess(removed.response.status);
  if (!made.isGone)
    return tally.miss(`${remove.key}: ${as} can't delete its own (${removed.response.status})`);
  // It is read last: what is done to it may bring it back.
  for (const route of [remove, change, ...views, read]) {
    if (route === undefined) continue;
    expectRefusal(context, tally, {
      about: `${route.key}: what ${as} deleted is gone, for ${as} too`,
      exchange: await act(context, made, route, as),
      told: { canary: undefined, control: told.get(route) ?? told.get(read), route },
      refuses: (status) => status === 404 || status === 410 || status === 403,
    });
  }
  await goneFromLists(context, tally, lists, made);
}

const honestCall = (context: AuditContext, route: ContractRoute, as: string): HonestCall | undefined =>
  honestCalls(context, route).find((call) => call.as === as);

/** Does with what was made what the plan's sample of a route does with another. */
function act(
  context: AuditContext,
  { params, as: owner }: Made,
  route: ContractRoute,
  as: string | undefined,
): Promise<Exchange> {
  // What its owner would send, whoever sends it: what is refused is the caller.
  const sample = honestCall(context, route, owner)?.input ?? {};
  const input: AuditInput = { ...sample, params: { ...sample.params, ...params } };
  return context.caller.call({ route, as, input });
}
