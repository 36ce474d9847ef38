import { z } from "zod";
import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking, mayTouchOthers } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { Exchange } from "../../probes/probe.ts";
import { requestIdOf } from "../../probes/upstream-witness.ts";
import type { ReceivedRequest } from "../../probes/upstream-witness.ts";
import { witnessOf } from "../arrivals.ts";
import { problemOf } from "../provocations.ts";
import {
  isClientError,
  isRefusal,
  isSuccess,
  protectedRoutes,
  see,
  withoutProtectedRoutes,
} from "../shared.ts";
import { answerOf } from "../unserved.ts";
import { unchanged } from "../state.ts";
import { alikeIds, unlikeId } from "./alike-ids.ts";
import type { AlikeId } from "./alike-ids.ts";
import { givesAway } from "./given-away.ts";

/** The parameters of a path that have to be the caller. */
const ownerParams = ({ access }: ContractRoute): string[] =>
  accessParts(access).flatMap((part) => (part.kind === "owner" ? [part.param] : []));

/** An id is compared whole: who asks for one that is nearly theirs asks for somebody else's. */
export const nearIds: Check = {
  name: "user A asks for an id that is nearly A's",
  kind: "live",
  isActive: true,
  attack: { kind: "objects", promise: "access", per: "route" },
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    (context.contract.routes.some((route) => ownerParams(route).length > 0)
      ? undefined
      : "no route's path names its owner"),
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const params = ownerParams(route);
      if (params.length === 0) continue;
      const own = ownCall(context, route);
      if (own === undefined) {
        tally.miss(lacking(context, route));
        continue;
      }
      const control = await context.caller.call({ route, ...own });
      if (isSuccess(control.response.status))
        await unchanged(context, tally, route, async () => {
          for (const param of params) await askNearly(context, tally, { route, own, control, param });
        });
      else
        tally.miss(
          `${route.key}: ${own.as}'s own is answered ${answerOf(context, control)}, so refusals show nothing`,
        );
    }
  },
};

/** Somebody who may ask for their own, and for nobody else's. */
const ownCall = (context: AuditContext, route: ContractRoute): HonestCall | undefined =>
  honestCalls(context, route).find(
    ({ as }) => as !== undefined && !mayTouchOthers(route.access, context.plan.identities?.[as]),
  );

/** A parameter that has to be the caller, on a route that they may call. */
interface Asked {
  route: ContractRoute;
  own: HonestCall;
  /** What they are answered. */
  control: Exchange;
  param: string;
}

/** An id that was asked for, and what came of it. */
interface Attempt extends AlikeId {
  exchange: Exchange;
}

async function askNearly(context: AuditContext, tally: Tally, asked: Asked): Promise<void> {
  const { route, own, param } = asked;
  const { params = {} } = own.input;
  const id = params[param] ?? "";
  const accepts = (other: string): boolean =>
    route.params === undefined || z.safeParse(route.params, { ...params, [param]: other }).success;
  const ask = (value: string, raw = encodeURIComponent(value)): Promise<Exchange> =>
    context.caller.call({
      route,
      as: own.as,
      input: own.input,
      rawParams: { ...encoded(params), [param]: raw },
    });
  const unlike = unlikeId(id, accepts);
  const plainly = unlike === undefined ? undefined : (await ask(unlike)).response.status;
  const attempts: Attempt[] = [];
  for (const alike of alikeIds(id, accepts))
    attempts.push({ ...alike, exchange: await ask(alike.value, alike.raw) });
  const arrived = await witnessOf(context, route)?.received();
  const judged = attempts.filter((attempt) => judge(context, tally, asked, { attempt, plainly, arrived }));
  if (judged.length === 0)
    tally.miss(`${route.key}: nothing that is nearly ${own.as}'s ${param} was compared with it`);
}

const encoded = (params: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, encodeURIComponent(value)]));

/** What an answer is judged by. */
interface Known {
  attempt: Attempt;
  /** What an id that is like nobody's is answered. */
  plainly: number | undefined;
  /** What the upstream was sent, if it tells. */
  arrived: readonly ReceivedRequest[] | undefined;
}

/**
 * Whose it is has to be asked before anything is looked for: that there is no such thing (404) may be said by who has looked. So it counts as a
 * refusal only where the upstream tells that it was not asked. False: this says nothing of how ids are compared.
 */
function judge(
  context: AuditContext,
  tally: Tally,
  asked: Asked,
  { attempt, plainly, arrived }: Known,
): boolean {
  const { route, own, control, param } = asked;
  const { name, isAccepted, exchange } = attempt;
  const { status } = exchange.response;
  const what = `${route.key}: ${own.as}'s ${param} ${name}`;
  const pass = (how: string): void => tally.pass(see(context, `${what} ${how}`, exchange));
  const fail = (how: string): void => tally.fail(see(context, `${what} ${how}`, exchange));
  const id = problemOf(exchange)?.id;
  if (isSuccess(status) && isOwnUuid(asked, attempt)) {
    if (route.method === "GET") pass(`is the same UUID, and gets what is ${own.as}'s`);
    else tally.miss(`${what} is the same UUID: whose it was when it was written, only a read would show`);
    return false;
  }
  if (isSuccess(status)) fail(`is taken for ${own.as}'s own`);
  else if (givesAway(exchange, { canary: own.input.canary, control, route }))
    fail(`is refused (${status}), and told all the same what only its owner is`);
  else if (arrived !== undefined && typeof id === "string") {
    const hasCome = arrived.some((request) => requestIdOf(request) === id && isOf(route, request));
    if (hasCome) fail(`is let through to ${route.to}: the refusal (${status}) comes from behind`);
    else if (isAccepted) pass(`is refused (${status}), and does not come to ${route.to}`);
    else return false;
  } else if (isRefusal(status)) pass(`is refused (${status})`);
  else if (isClientError(status) && !isAccepted) return false;
  else if (status === 404 && plainly !== undefined && isRefusal(plainly) && isAccepted)
    fail(`is looked for (404), where one that is like nobody's is refused (${plainly})`);
  else
    tally.miss(
      `${what} is answered ${status}, which need not be the gateway's word: only ${route.to} could tell (upstreams in the plan)`,
    );
  return true;
}

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Whether a UUID in other letters is answered as it is in its own: who reads UUIDs as such, as PostgreSQL's type does, reads one in both. What is
 * answered otherwise was let in as one id and looked for as another.
 *
 * @see RFC 9562 §4: UUIDs are read in any case
 */
function isOwnUuid({ own, control, param }: Asked, { value, exchange }: Attempt): boolean {
  const id = own.input.params?.[param] ?? "";
  const { canary } = own.input;
  const isSame = uuid.test(id) && value.toLowerCase() === id.toLowerCase();
  const text = exchange.response.text();
  return (
    isSame &&
    (text.toLowerCase() === control.response.text().toLowerCase() ||
      (canary !== undefined && text.includes(canary)))
  );
}

/** Whether an upstream was asked for what the route leads to. With the same id it may be asked whose something else is. */
function isOf({ method, segments }: ContractRoute, request: ReceivedRequest): boolean {
  const [path = ""] = request.target.split("?");
  const parts = path.split("/").slice(-segments.length);
  return (
    request.method === method &&
    segments.every((segment, index) => !("text" in segment) || segment.text === parts[index])
  );
}
