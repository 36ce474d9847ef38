import type { ContractRoute } from "../../../contract/index.ts";
import type { Call } from "../../requests/caller.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { Exchange } from "../../probes/probe.ts";
import { isRefusal, isSuccess, see } from "../shared.ts";
import { jsonFault } from "../success-faults.ts";
import { answerOf, isFailure } from "../unserved.ts";

/** What only who is let in is told. */
export interface Told {
  /** The text that is planted in the object. */
  readonly canary: string | undefined;
  /** An honest request, as it was answered. */
  readonly control: Exchange | undefined;
  /** Where what is declared for successes alone is told. Default: that an answer looks like one tells nothing. */
  readonly route?: ContractRoute;
}

/** `{"ok":1}` says something; `{}`, or nothing, is what refusals say too. */
const shortestAnswer = 8;

/**
 * Whether a refusal holds all the same what only who is let in is told, whatever its status says: the same answer, what was planted in it, or another one
 * as the contract declares them. A canary that was asked for may be repeated.
 */
export function givesAway({ request, response }: Exchange, { canary, control, route }: Told): boolean {
  const text = response.text();
  const answer =
    control !== undefined && isSuccess(control.response.status) ? control.response.text().trim() : "";
  return (
    (answer.length >= shortestAnswer && text.includes(answer)) ||
    (canary !== undefined && text.includes(canary) && !request.path.includes(canary)) ||
    (route !== undefined && isAnswerOf(route, response.status, text))
  );
}

/** Whether a refusal is what a route declares for successes alone, and says something that refusals do not. */
function isAnswerOf({ response, errors }: ContractRoute, status: number, text: string): boolean {
  const error = errors.get(status);
  if (isSuccess(status) || response === undefined || jsonFault(response, text) !== undefined) return false;
  if (error !== undefined && jsonFault(error, text) === undefined) return false;
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, member]) => !saidByRefusals.has(name) && !isNothing(member));
}

/** Members that refusals have too, of RFC 9457 and as frameworks write them. */
const saidByRefusals: ReadonlySet<string> = new Set(
  "type title status detail instance id code error errors message reason ok success statusCode timestamp path".split(
    " ",
  ),
);

const isNothing = (value: unknown): boolean =>
  typeof value === "object" ? Object.keys(value ?? {}).length === 0 : !value;

/** What an honest caller is told: to be asked for before refusals are judged. Nothing is written to find it out, and no stream is waited for. */
export async function toldTo(
  context: AuditContext,
  route: ContractRoute,
  { as, input }: Pick<HonestCall, "as" | "input">,
): Promise<Told> {
  const isRead = route.method === "GET" && route.stream?.kind !== "events";
  const control = isRead ? await controlOf(context, { route, as, input }) : undefined;
  return { canary: input.canary, control, route };
}

/** Honest requests that were made where a limit counts users: no other address brings back what they spent, so they are made once an audit. */
const controls = new WeakMap<AuditContext, Map<string, Exchange>>();

async function controlOf(context: AuditContext, call: Call): Promise<Exchange> {
  const { route, as, input } = call;
  if (route.limits.every(({ by }) => by === "client")) return context.caller.call(call);
  const known = controls.get(context) ?? new Map<string, Exchange>();
  controls.set(context, known);
  const key = JSON.stringify([route.key, as, input.params, input.query]);
  const control = known.get(key) ?? (await context.caller.call(call));
  known.set(key, control);
  return control;
}

/** An answer to who is not let in. */
export interface Refusal {
  /** What is seen in it, as evidence says it. */
  readonly about: string;
  readonly exchange: Exchange;
  readonly told: Told;
  /** Whether a status refuses. Default: 401 and 403 do. */
  readonly refuses?: (status: number) => boolean;
}

/** What has to be refused is refused by its status, and its answer holds nothing of what only who is let in is told: a status alone may say no to what follows it. */
export function expectRefusal(
  context: AuditContext,
  tally: Tally,
  { about, exchange, told, refuses = isRefusal }: Refusal,
): void {
  const isGivenAway = givesAway(exchange, told);
  const { status } = exchange.response;
  if (isFailure(status) && !isGivenAway && !isKnownToServe(told))
    return tally.miss(
      `${about}: it was answered ${answerOf(context, exchange)}, which neither lets anybody in nor refuses`,
    );
  tally.expect(refuses(status) && !isGivenAway, see(context, `${about}${saysAway(isGivenAway)}`, exchange));
}

/** Where who is honest is served, a failure is no refusal; where nobody is known to be, it is no verdict. */
const isKnownToServe = ({ control }: Told): boolean =>
  control !== undefined && isSuccess(control.response.status);

/** For a finding: why a refusal is one. */
const saysAway = (isGivenAway: boolean): string =>
  isGivenAway ? "; its answer holds what only who is let in is told" : "";
