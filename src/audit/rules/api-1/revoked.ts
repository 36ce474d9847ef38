import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { AuditRevocable } from "../../plan/plan.ts";
import type { Exchange } from "../../probes/probe.ts";
import { decodeToken } from "../../requests/tokens.ts";
import { isClientError, isRefusal, isSuccess, see, withoutProtectedRoutes } from "../shared.ts";
import { expectServed } from "../unserved.ts";
import { expectRefusal } from "./given-away.ts";
import { issuedAhead } from "./issued-ahead.ts";
import { isReading, revokedCalls } from "./revoked-calls.ts";
import type { RevokedCall } from "./revoked-calls.ts";
import { revokedConnections } from "./revoked-connections.ts";
import { withoutIssuer } from "./token-routes.ts";

/** How long it may take until everything that takes tokens has heard of it, in milliseconds. */
const spreadsWithinMs = 10_000;
/**
 * So many refusals of the first call, each over a connection of its own: what answers may be several processes or threads, of which each hears for
 * itself. Of eight of them, one that never hears answers none of these once in five thousand times.
 */
const enoughRefusals = 64;
/** Where a limit lets nobody come so often. */
const fewestRounds = 5;

const withoutRevocable = (context: AuditContext): string | undefined =>
  withoutProtectedRoutes(context) ??
  withoutIssuer(context) ??
  (context.plan.revocable === undefined
    ? "the plan names nobody whose tokens may be revoked (revocable)"
    : undefined);

/** What was revoked, by audit: it is asked for once more in the end. */
const revocations = new WeakMap<AuditContext, Revocation>();

/** A token that does not count any more. */
interface Revocation {
  readonly value: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly calls: readonly JudgedCall[];
}

interface JudgedCall extends RevokedCall {
  /** What it was answered while the token was good. Undefined: it writes, so it was not asked. */
  readonly before: Exchange | undefined;
}

/** Whoever remembers that a token was good has to forget it when it is revoked. */
export const revokedToken: Check = {
  name: "token that is revoked after it was taken",
  kind: "live",
  isActive: true,
  attack: { kind: "access", promise: "identity", per: "site" },
  notApplicable: withoutRevocable,
  run: async (context, tally) => {
    const { revocable } = context.plan;
    if (revocable === undefined) return;
    const calls = revokedCalls(context, revocable);
    const [plain] = calls;
    if (plain === undefined || !plain.isOwn || !isReading(plain))
      return tally.miss("the plan's revocable may read nothing without a sample");
    const value = await takenToken(context, plain, revocable);
    if (value === undefined)
      return tally.miss(
        `${plain.route.key}: tokens of the plan's revocable are refused before they are revoked`,
      );
    const judged: JudgedCall[] = [];
    for (const call of calls) judged.push({ ...call, before: await answerBefore(context, call, value) });
    const judgeIssuedAhead = await issuedAhead(context, tally, plain, value);
    const connections = await revokedConnections(context, tally, plain, value);
    await revocable.revoke();
    const revocation = { value, at: context.now(), calls: judged };
    revocations.set(context, revocation);
    const until = revocation.at + spreadsWithinMs;
    await connections.judge(revocation.at, until).finally(() => connections.close());
    await judge(context, tally, revocation, until);
    await judgeIssuedAhead?.();
    await othersGoOn(context, tally, plain);
  },
};

/** Whoever remembers that a token was revoked has to remember it for as long as the token would have lasted. */
export const revokedForGood: Check = {
  name: "token that is revoked, once more when all else was tried",
  kind: "live",
  isActive: true,
  isLast: true,
  attack: { kind: "access", promise: "identity", per: "site" },
  notApplicable: withoutRevocable,
  run: async (context, tally) => {
    const revocation = revocations.get(context);
    if (revocation === undefined) return tally.miss("no token was revoked before");
    const { exp } = decodeToken(revocation.value)?.claims ?? {};
    if (typeof exp === "number" && exp * 1000 <= context.now())
      return tally.miss("the token that was revoked has expired since, so a refusal shows nothing");
    await judge(context, tally, revocation, 0);
  },
};

/** Makes a call once over each protocol, each time over a connection of its own where the target sees another client then. */
async function withToken(
  { caller, protocols }: AuditContext,
  { route, input }: RevokedCall,
  value: string,
): Promise<Exchange[]> {
  const token = { name: "token of the plan's revocable", value };
  const exchanges: Exchange[] = [];
  for (const protocol of protocols) {
    const client = caller.freshClient();
    const request = await caller.request({ route, input, token });
    exchanges.push(await caller.send({ ...request, protocol, ...(client === undefined ? {} : { client }) }));
  }
  return exchanges;
}

/**
 * A token of theirs, once it was taken over each protocol. One that was issued in the second in which others were revoked does not count, nor
 * while the issuer's clock might be ahead: then the next one may.
 */
async function takenToken(
  context: AuditContext,
  call: RevokedCall,
  { token }: AuditRevocable,
): Promise<string | undefined> {
  const until = context.now() + (context.contract.identity?.clockToleranceSeconds ?? 0) * 1000 + 3000;
  for (;;) {
    const value = await token();
    const answers = await withToken(context, call, value);
    if (answers.every(({ response }) => isSuccess(response.status))) return value;
    if (context.now() >= until) return undefined;
    await context.sleep(1000);
  }
}

async function answerBefore(
  context: AuditContext,
  call: RevokedCall,
  value: string,
): Promise<Exchange | undefined> {
  if (!isReading(call)) return undefined;
  const [exchange] = await withToken(context, call, value);
  return exchange;
}

/**
 * Judges each call by what it is answered in the end.
 *
 * @param until until when who has not heard yet may go on, in milliseconds since 1970
 */
async function judge(
  context: AuditContext,
  tally: Tally,
  revocation: Revocation,
  until: number,
): Promise<void> {
  let isToldApart = false;
  for (const [index, call] of revocation.calls.entries()) {
    const rounds = index === 0 ? roundsOf(context, call) : 1;
    const exchange = await lastAnswer(context, revocation.value, call, { rounds, until });
    if (exchange === undefined) continue;
    const { status } = exchange.response;
    const { route, input } = call;
    const before = call.before?.response.status;
    if (index === 0) isToldApart = status === 401;
    const often = rounds > 1 ? ` (${rounds * context.protocols.length} times)` : "";
    const later = `${((context.now() - revocation.at) / 1000).toFixed(1)} s later`;
    const wasServed = before !== undefined && isSuccess(before);
    if (isSuccess(status))
      tally.fail(see(context, `${route.key}: a token that was revoked goes on, ${later}`, exchange));
    else if (wasServed ? isClientError(status) : isRefusal(status) && status !== before)
      expectRefusal(context, tally, {
        about: `${route.key}: a token that was revoked is refused${often}, ${later}`,
        exchange,
        told: { canary: input.canary, control: call.before, route },
        refuses: () => true,
      });
    else if (status >= 500)
      tally.miss(`${route.key}: a token that was revoked is answered ${status}, ${later}`);
    else if (isToldApart && status === before && status !== 401 && (await isForCallers(context, call)))
      tally.fail(
        see(
          context,
          `${route.key}: a token that was revoked still says who calls (${status}, as before), ${later}`,
          exchange,
        ),
      );
  }
}

/** So many times over each protocol, if the route's limits let one caller come so often at once. */
function roundsOf({ protocols, wire }: AuditContext, { route }: RevokedCall): number {
  const shared = route.limits.filter(({ by }) => by !== "client" || !wire.canChangeClient);
  const most = Math.min(enoughRefusals, ...shared.map(({ burst }) => burst));
  return Math.max(fewestRounds, Math.ceil(most / protocols.length));
}

/** How often an answer is looked at. */
interface Patience {
  /** So many refusals over each protocol, one after the other, are enough. */
  readonly rounds: number;
  /** Until when who has not heard yet may go on, in milliseconds since 1970. */
  readonly until: number;
}

/** The first answer that is none of a refusal when nobody could be waiting for word any more, else one that is no refusal either, else the last one. */
async function lastAnswer(
  context: AuditContext,
  value: string,
  call: JudgedCall,
  { rounds, until }: Patience,
): Promise<Exchange | undefined> {
  const before = call.before?.response.status;
  const goesOn = ({ response: { status } }: Exchange): boolean =>
    isSuccess(status) || (status === before && status !== 401);
  for (;;) {
    const answers: Exchange[] = [];
    for (let round = 0; round < rounds && !answers.some(goesOn); round++)
      answers.push(...(await withToken(context, call, value)));
    const accepted = answers.find(goesOn);
    if (accepted === undefined)
      return answers.find(({ response }) => !isClientError(response.status)) ?? answers.at(-1);
    const left = until - context.now();
    if (left <= 0 || !isReading(call)) return accepted;
    // Once some have heard, whoever is asked again and again may at last be refused by luck: so all are asked once more when their time is over.
    await context.sleep(answers.length > context.protocols.length ? left : Math.min(left, 200));
  }
}

/** Whether nobody at all is answered 401: somebody is told something else. */
async function isForCallers(context: AuditContext, { route, input }: RevokedCall): Promise<boolean> {
  const { response } = await context.caller.call({ route, input });
  return response.status === 401;
}

/** That everybody is refused would be no revocation. */
async function othersGoOn(context: AuditContext, tally: Tally, { route }: RevokedCall): Promise<void> {
  const other = honestCalls(context, route).find(
    ({ as }) => as !== undefined && !context.tokens.isProgram(as),
  );
  if (other?.as === undefined) return;
  const exchange = await context.caller.call({ route, as: other.as, input: other.input });
  expectServed(context, tally, {
    route,
    about: `${other.as}, who was not revoked, may still call it`,
    exchange,
  });
}
