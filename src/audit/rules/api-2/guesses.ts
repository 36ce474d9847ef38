import type { ContractRoute, Rate } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, mayCall } from "../../requests/inputs.ts";
import type { ProbeRequest } from "../../probes/probe.ts";
import { isTooMuch, judgeSpending, maxBurst, oneClient, protocolFor } from "../limits.ts";
import type { Spending } from "../limits.ts";
import { sendTogether } from "../send-together.ts";
import { isSuccess, see, withoutRoutes } from "../shared.ts";
import { wrongGuesses } from "./wrong-guesses.ts";
import type { WrongGuess, WrongGuesses } from "./wrong-guesses.ts";

/** A route's limit on one client's failures that admits least at once. */
function tightestOnFailures({ failures }: ContractRoute): Rate | undefined {
  const perClient = failures?.limits.filter(({ by }) => by === "client") ?? [];
  return perClient.toSorted((left, right) => left.burst - right.burst)[0];
}

/** Guessing a password, a voucher, a code: as often as the contract says, then no more, for this client alone. */
export const guesses: Check = {
  name: "guesses are counted, and end",
  kind: "live",
  attack: { kind: "limits", promise: "failures", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some((route) => tightestOnFailures(route) !== undefined)
      ? undefined
      : "no route limits a client's failures"),
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const limit = tightestOnFailures(route);
      if (limit === undefined) continue;
      const wrong = context.plan.guesses?.[route.key];
      if (wrong === undefined) tally.miss(`the plan has no wrong guess for ${route.key}`);
      else if (limit.burst > maxBurst)
        tally.miss(`${route.key} lets ${limit.burst} guesses fail: more than the ${maxBurst} that are sent`);
      else {
        const guesses = wrongGuesses(route, wrong);
        await guess(context, tally, { route, limit, guesses });
        await guessAtOnce(context, tally, { route, limit, guesses });
        if (guesses.repeats())
          tally.miss(
            `${route.key}: the plan's wrong guess has nothing that could be made another, so all were alike: give a function as its body`,
          );
      }
    }
  },
};

interface Guessing {
  route: ContractRoute;
  limit: Rate;
  guesses: WrongGuesses;
}

const isFailureOf =
  ({ failures }: ContractRoute) =>
  (status: number): boolean =>
    failures?.statuses.includes(status) === true;

function requestOf(context: AuditContext, route: ContractRoute, { call }: WrongGuess): Promise<ProbeRequest> {
  const names = Object.keys(context.plan.identities ?? {});
  const as =
    route.access.kind === "everyone" ? undefined : names.find((name) => mayCall(context, route, name));
  return context.caller.request({ route, as, ...call });
}

async function guess(context: AuditContext, tally: Tally, guessing: Guessing): Promise<void> {
  const { route, limit, guesses } = guessing;
  const [client, other] = [context.caller.freshClient(), context.caller.freshClient()];
  if (client === undefined || other === undefined) return tally.miss(oneClient);
  const first = guesses.next();
  const own = await requestOf(context, route, first);
  const [good] = honestCalls(context, route);
  const isFailure = isFailureOf(route);
  const startedAt = context.now();
  let failed = 0;
  let isStopped = false;
  for (let count = 0; count < limit.burst * 2 + 10 && !isStopped; count++) {
    // Who has one that is right must not begin anew with it, as often as it takes.
    if (count === limit.burst - 1 && good !== undefined) {
      const right = await context.caller.request({ route, ...good });
      const { status } = await context.wire.send({ ...right, client });
      if (!isSuccess(status))
        tally.miss(`${route.key}: what is right was answered ${status} between guesses`);
    }
    const one = count === 0 ? first : guesses.next();
    const request = count === 0 ? own : await requestOf(context, route, one);
    const { status } = await context.wire.send({ ...request, client, protocol: protocolFor(context, count) });
    if (status === 429) isStopped = true;
    else if (isFailure(status)) failed++;
    else if (guesses.isUseless(one)) continue;
    else return tally.miss(`${route.key}: the plan's wrong guess is answered ${status}, which is no failure`);
  }
  judgeSpending(tally, {
    about: `${route.key}: guesses of one client, each another`,
    limit,
    admitted: failed,
    isRefused: isStopped,
    seconds: (context.now() - startedAt) / 1000,
    unit: "guesses",
  });
  const sent = { ...own, client: other };
  const response = await context.wire.send(sent);
  if (response.status >= 500 && !isFailure(response.status))
    return tally.miss(`${route.key}: another client was answered ${response.status}, whatever the reason`);
  tally.expect(
    isFailure(response.status),
    see(context, `${route.key}: another client may still try`, { request: sent, response }),
  );
}

/** How often guesses are sent at once: on a busy machine they may come one after another all the same. */
const volleys = 3;

/** What is counted once it was answered is not counted yet while others are under way, over either protocol. */
async function guessAtOnce(context: AuditContext, tally: Tally, guessing: Guessing): Promise<void> {
  const seen: Spending[] = [];
  while (seen.length < volleys && !seen.some(isTooMuch)) {
    const spending = await volley(context, guessing);
    if (spending === undefined) return tally.miss(oneClient);
    seen.push(spending);
  }
  // One in which something failed is made up for by one in which nothing did.
  const told = seen.find(isTooMuch) ?? seen.find(({ failed }) => failed === 0) ?? seen[0];
  if (told !== undefined) judgeSpending(tally, told);
}

async function volley(context: AuditContext, guessing: Guessing): Promise<Spending | undefined> {
  const { route, limit, guesses } = guessing;
  const client = context.caller.freshClient();
  if (client === undefined) return undefined;
  const requests = await Promise.all(
    Array.from({ length: limit.burst * 2 + 10 }, () => requestOf(context, route, guesses.next())),
  );
  const [first] = requests as [ProbeRequest, ...ProbeRequest[]];
  const startedAt = context.now();
  const answers = await sendTogether(
    context,
    context.wire.send,
    { ...first, client },
    requests.length,
    (one, index) => ({ ...one, ...requests[index] }),
  );
  const isFailure = isFailureOf(route);
  const admitted = answers.filter(({ status }) => isFailure(status)).length;
  const refused = answers.filter(({ status }) => status === 429).length;
  return {
    about: `${route.key}: ${answers.length} guesses of one client at once`,
    limit,
    admitted,
    failed: answers.length - admitted - refused,
    isRefused: refused > 0,
    seconds: (context.now() - startedAt) / 1000,
    unit: "guesses",
  };
}
