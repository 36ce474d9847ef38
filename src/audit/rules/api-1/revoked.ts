import type { ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../inputs.ts";
import type { AuditInput, AuditRevocable } from "../../plan.ts";
import type { Exchange } from "../../probe.ts";
import { isSuccess, overEach, protectedRoutes, see, withoutProtectedRoutes } from "../shared.ts";
import { withoutIssuer } from "./token-routes.ts";

/** How long it may take until everything that takes tokens has heard of it, in milliseconds. */
const spreadsWithinMs = 10_000;
/** So many refusals in a row: what answers may be several threads, of which each hears for itself. */
const enoughRounds = 5;

/** Whoever remembers that a token was good has to forget it when it is revoked. */
export const revokedToken: Check = {
  name: "token that is revoked after it was taken",
  kind: "live",
  isActive: true,
  attack: { kind: "access", promise: "identity", per: "site" },
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    withoutIssuer(context) ??
    (context.plan.revocable === undefined
      ? "the plan names nobody whose tokens may be revoked (revocable)"
      : undefined),
  run: async (context, tally) => {
    const { revocable } = context.plan;
    if (revocable === undefined) return;
    const read = readingCall(context, revocable);
    if (read === undefined) return tally.miss("the plan's revocable may read nothing without a sample");
    const ask = await takenToken(context, read, revocable);
    if (ask === undefined)
      return tally.miss(
        `${read.route.key}: tokens of the plan's revocable are refused before they are revoked`,
      );
    await revocable.revoke();
    const accepted = await acceptedAtLast(context, ask);
    const [refused] = await ask();
    if (accepted !== undefined)
      tally.fail(see(context, `${read.route.key}: a token that was revoked goes on`, accepted));
    else if (refused !== undefined && refused.response.status >= 500)
      tally.miss(`${read.route.key}: a token that was revoked is answered ${refused.response.status}`);
    else if (refused !== undefined)
      tally.pass(see(context, `${read.route.key}: a token that was taken is refused once revoked`, refused));
    await othersGoOn(context, read.route, (exchange, as) =>
      tally.expect(
        isSuccess(exchange.response.status),
        see(context, `${read.route.key}: ${as}, who was not revoked, may still call it`, exchange),
      ),
    );
  },
};

interface ReadingCall {
  route: ContractRoute;
  input: AuditInput;
}

/** Something that they may read. */
function readingCall(context: AuditContext, revocable: AuditRevocable): ReadingCall | undefined {
  const alone = { ...context, plan: { ...context.plan, identities: { revocable } } };
  return protectedRoutes(context)
    .filter(({ method, stream }) => method === "GET" && stream === undefined)
    .flatMap((route) => honestCalls(alone, route).map(({ input }) => ({ route, input })))[0];
}

/**
 * Asks with a token of theirs over each protocol, once it was taken over each. One that was issued in the second in which others were revoked does not count, nor
 * while the issuer's clock might be ahead: then the next one may.
 */
async function takenToken(
  context: AuditContext,
  { route, input }: ReadingCall,
  { token }: AuditRevocable,
): Promise<(() => Promise<Exchange[]>) | undefined> {
  const until = context.now() + (context.contract.identity?.clockToleranceSeconds ?? 0) * 1000 + 3000;
  for (;;) {
    const value = await token();
    const ask = (): Promise<Exchange[]> =>
      overEach(context, { route, input, token: { name: "token of the plan's revocable", value } });
    const answers = await ask();
    if (answers.every(({ response }) => isSuccess(response.status))) return ask;
    if (context.now() >= until) return undefined;
    await context.sleep(1000);
  }
}

/** An answer that was still given when nobody could be waiting for word any more. Undefined: there is none. */
async function acceptedAtLast(
  context: AuditContext,
  ask: () => Promise<Exchange[]>,
): Promise<Exchange | undefined> {
  const until = context.now() + spreadsWithinMs;
  for (let refusals = 0; refusals < enoughRounds;) {
    const accepted = (await ask()).find(({ response }) => isSuccess(response.status));
    refusals = accepted === undefined ? refusals + 1 : 0;
    if (accepted === undefined) continue;
    if (context.now() >= until) return accepted;
    await context.sleep(200);
  }
  return undefined;
}

/** That everybody is refused would be no revocation. */
async function othersGoOn(
  context: AuditContext,
  route: ContractRoute,
  judge: (exchange: Exchange, as: string) => void,
): Promise<void> {
  const other = honestCalls(context, route).find(
    ({ as }) => as !== undefined && !context.tokens.isProgram(as),
  );
  if (other?.as === undefined) return;
  judge(await context.caller.call({ route, as: other.as, input: other.input }), other.as);
}
