import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { asksWhose, honestCalls, mayTouchOthers } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { Exchange } from "../../probes/probe.ts";
import { arrivedSince } from "../../probes/upstream-witness.ts";
import type { ReceivedRequest } from "../../probes/upstream-witness.ts";
import { isAtSamePath, witnessOf } from "../arrivals.ts";
import { isSuccess, see } from "../shared.ts";

/** Something that an audit made, and what may be done with it. */
export interface MadeThing {
  readonly id: string;
  /** Whose it is. */
  readonly as: string;
  readonly params: Readonly<Record<string, string>>;
  readonly read: ContractRoute;
  readonly change: ContractRoute | undefined;
  readonly remove: ContractRoute | undefined;
}

/** A reading among whose things one that was made stands. */
export interface ListOf {
  readonly route: ContractRoute;
  readonly honest: HonestCall;
}

const mostLists = 20;

/** Where else it stands, by the name that it was given, among what somebody may read. */
export async function listsOf(context: AuditContext, { id, as, read }: MadeThing): Promise<ListOf[]> {
  const lists: ListOf[] = [];
  const reads = context.contract.routes.filter(
    // What is kept for a while may be old.
    ({ method, stream, cache, path }) =>
      method === "GET" && stream === undefined && cache === undefined && !path.startsWith(read.path),
  );
  for (const route of reads.slice(0, mostLists)) {
    const calls = honestCalls(context, route);
    const honest = calls.find((call) => call.as === as) ?? calls[0];
    if (honest !== undefined && hasIn(await ask(context, { route, honest }), id))
      lists.push({ route, honest });
  }
  return lists;
}

const ask = (context: AuditContext, { route, honest: { as, input } }: ListOf): Promise<Exchange> =>
  context.caller.call({ route, as, input });

const hasIn = ({ response }: Exchange, id: string): boolean =>
  isSuccess(response.status) && response.text().includes(id);

/** What is somebody's own stands in nobody else's list. */
export async function keptToOwner(
  context: AuditContext,
  tally: Tally,
  lists: readonly ListOf[],
  { id, as }: MadeThing,
): Promise<void> {
  for (const { route, honest } of lists) {
    if (!asksWhose(route) || honest.as !== as) continue;
    for (const other of honestCalls(context, route)) {
      const identity = context.plan.identities?.[other.as ?? ""];
      if (other.as === as || mayTouchOthers(route.access, identity)) continue;
      const exchange = await ask(context, { route, honest: other });
      const about = `${route.key}: what ${as} just made is none of ${other.as ?? "a visitor"}'s`;
      tally.expect(!hasIn(exchange, id), see(context, about, exchange));
    }
  }
}

/** How often a list is asked for what is gone, and how long between: an index may take a moment. */
const [tries, pauseMs] = [4, 500];

/** What was deleted stands in no list any more. */
export async function goneFromLists(
  context: AuditContext,
  tally: Tally,
  lists: readonly ListOf[],
  { id, as }: MadeThing,
): Promise<void> {
  for (const list of lists) {
    let exchange = await ask(context, list);
    for (let count = 1; count < tries && hasIn(exchange, id); count++) {
      await context.sleep(pauseMs);
      exchange = await ask(context, list);
    }
    if (isSuccess(exchange.response.status))
      tally.expect(
        !hasIn(exchange, id),
        see(context, `${list.route.key}: what ${as} deleted is not listed any more`, exchange),
      );
    else tally.miss(`${list.route.key}: what is listed was answered ${exchange.response.status}`);
  }
}

/** What comes to change or delete a thing, at upstreams that tell. */
export interface Writes {
  /** Until now none came. */
  expectNone(tally: Tally): Promise<void>;
}

/** Looks from now on. While its owner only reads it, whatever else comes for it is somebody else's. */
export async function createWrites(
  context: AuditContext,
  { params, change, remove }: MadeThing,
): Promise<Writes> {
  const watched = [change, remove].flatMap((route) => {
    const witness = route === undefined ? undefined : witnessOf(context, route);
    if (route === undefined || witness === undefined) return [];
    const path = `/${route.segments
      .map((segment) => ("text" in segment ? segment.text : encodeURIComponent(params[segment.param] ?? "")))
      .join("/")}`;
    const isWrite = ({ method, target }: ReceivedRequest): boolean =>
      method === route.method && isAtSamePath(witness.upstream, path, target);
    const look = async (): Promise<ReceivedRequest[]> => (await witness.received()).filter(isWrite);
    return [{ route, look }];
  });
  const before = await Promise.all(watched.map(({ look }) => look()));
  return {
    async expectNone(tally) {
      for (const [index, { route, look }] of watched.entries()) {
        const value = arrivedSince(before[index] ?? [], await look()).length;
        tally.expect(value === 0, {
          kind: "measurement",
          about: `${route.key}: what comes to ${route.to} of those who have no part in it`,
          value,
          unit: "requests",
        });
      }
    },
  };
}
