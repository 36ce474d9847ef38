import type { ContractRoute } from "../../../contract/index.ts";
import { isCurtainwallError } from "../../../shared/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Exchange } from "../../probes/probe.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { honestCall, isSuccess, see, withoutRoutes } from "../shared.ts";
import { appearanceOf, changeOf, looksAround } from "./later-answers.ts";
import type { Appearance, Look } from "./later-answers.ts";
import { formsOf, harmless, telling } from "./pollution-forms.ts";
import type { Load } from "./pollution-forms.ts";

/**
 * A refusal is no proof: what merges a request into something before it refuses it has changed every object of its process. That shows in what
 * comes afterwards, to whomever. It runs last, since nobody can take back what it did.
 */
export const noPollution: Check = {
  name: "nothing that a request says of prototypes changes what is answered afterwards",
  kind: "live",
  attack: { kind: "input", promise: "body", per: "route" },
  isActive: true,
  isSupporting: true,
  isLast: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const isWhole = await tryOrMiss(context, route, tally);
      // Every other route of that process would show the same.
      if (!isWhole) return;
    }
  },
};

async function tryOrMiss(context: AuditContext, route: ContractRoute, tally: Tally): Promise<boolean> {
  try {
    return await tryOn(context, route, tally);
  } catch (error) {
    if (!isCurtainwallError(error, "AUDIT_ROUTE_UNAVAILABLE")) throw error;
    tally.miss(error.message);
    return true;
  }
}

/** A look, and what was seen the first two times. */
interface Watched {
  readonly look: Look;
  readonly before: readonly [Appearance, Appearance];
}

/** Tells whether everything stayed as it was. */
async function tryOn(context: AuditContext, route: ContractRoute, tally: Tally): Promise<boolean> {
  if (honestCall(context, route, tally) === undefined) return true;
  const watched: Watched[] = [];
  for (const look of looksAround(context, route)) {
    const before = await lookBefore(context, tally, look);
    if (before !== undefined) watched.push({ look, before });
    else if (watched.length === 0) return true;
  }
  // What goes on as before is tried first: a process that takes it needs nothing worse, and tells nobody what he may do.
  const plain = watched.filter(({ look }) => !look.isAboutRights);
  const isWhole =
    (await tryLoad(context, route, tally, plain, harmless)) &&
    (await tryLoad(context, route, tally, watched, telling(context)));
  // Else the next route would be told of for what this one did.
  if (!isWhole) seenBefore.delete(context.tokens);
  return isWhole;
}

/** What was seen the first two times, by audit and by look: what users may ask is not spent on the same question for each route. */
const seenBefore = new WeakMap<AuditContext["tokens"], Map<string, Watched["before"]>>();

/** Undefined: who is honest is not served, and the tally says so. */
async function lookBefore(
  { tokens }: AuditContext,
  tally: Tally,
  look: Look,
): Promise<Watched["before"] | undefined> {
  const seen = seenBefore.get(tokens) ?? new Map<string, Watched["before"]>();
  seenBefore.set(tokens, seen);
  const known = seen.get(look.what);
  if (known !== undefined) return known;
  const [one, two] = [await look.ask(), await look.ask()];
  if (look.isHonest && !isServed(one, two)) {
    const statuses = `${one.response.status}, ${two.response.status}`;
    tally.miss(`${look.what}: the honest request was answered ${statuses}`);
    return undefined;
  }
  const before = [appearanceOf(one), appearanceOf(two)] as const;
  seen.set(look.what, before);
  return before;
}

const isServed = (...exchanges: readonly Exchange[]): boolean =>
  exchanges.every(({ response: { status } }) => isSuccess(status));

async function tryLoad(
  context: AuditContext,
  route: ContractRoute,
  tally: Tally,
  watched: readonly Watched[],
  load: Load,
): Promise<boolean> {
  const { names, marks } = await sendForms(context, route, load);
  let isWhole = true;
  for (const one of watched) {
    const { exchange, fault } = await lookAgain(one, marks);
    const about = `${route.key}: after ${names.join(", ")}, ${one.look.what}`;
    const ending =
      fault === undefined ? "is answered as before" : `${fault}; and so it stays until that is started anew`;
    tally.expect(fault === undefined, see(context, `${about}: ${ending}`, exchange));
    isWhole &&= fault === undefined;
  }
  return isWhole;
}

/** Sends a load in each form. The names are those of the forms, the marks all that could show later. */
async function sendForms(
  context: AuditContext,
  route: ContractRoute,
  load: Load,
): Promise<{ names: string[]; marks: string[] }> {
  const marks: string[] = [];
  const mark = (): string => {
    const made = context.mark();
    marks.push(made);
    return made;
  };
  // Each user bends a request of his own, so that nobody is refused for who he is.
  const users = honestCalls(context, route).map(({ as, input }) => ({
    as,
    input,
    forms: formsOf(route, input, load, mark),
  }));
  const names = users[0]?.forms.map(({ name }) => name) ?? [];
  for (const index of names.keys()) {
    const user = users[index % users.length];
    const form = user?.forms[index];
    if (user === undefined || form === undefined) continue;
    const { as, input } = user;
    await context.caller.call({ route, as, input, ...form.bent }).catch(refusedUnanswered);
  }
  return { names, marks };
}

/** Where several processes share the work, the next one asked may be another. */
const maxLooks = 4;

/** What was polluted stays so: what is there once and not again is something else. */
async function lookAgain(
  { look, before }: Watched,
  marks: readonly string[],
): Promise<{ exchange: Exchange; fault: string | undefined }> {
  const exchange = await look.ask();
  const fault = faultOf(look, before, exchange, marks);
  if (fault === undefined) return { exchange, fault };
  for (let count = 1; count < maxLooks; count++) {
    const again = await look.ask();
    if (faultOf(look, before, again, marks) !== undefined) return { exchange, fault };
  }
  return { exchange, fault: undefined };
}

function faultOf(
  { writes }: Look,
  before: Watched["before"],
  exchange: Exchange,
  marks: readonly string[],
): string | undefined {
  const { response } = exchange;
  const text = `${response.headers.map((header) => header.join(": ")).join("\n")}\n${response.text()}`;
  if (marks.some((mark) => text.includes(mark))) return "what was sent is in the answer";
  if (writes && [404, 409, 410].includes(response.status)) return undefined;
  return changeOf(before, appearanceOf(exchange));
}

/** Whoever hangs up may have taken it all the same. */
function refusedUnanswered(error: unknown): undefined {
  if (
    !isCurtainwallError(error, "AUDIT_ANSWER_INVALID") &&
    !isCurtainwallError(error, "AUDIT_TARGET_UNREACHABLE")
  )
    throw error;
}
