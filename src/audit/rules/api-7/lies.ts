import type { ContractRoute } from "../../../contract/index.ts";
import { isCurtainwallError } from "../../../shared/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Call } from "../../requests/caller.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import { findHeaderLeaks, findLeaks } from "../../answers/leaks.ts";
import type { AuditLie } from "../../plan/plan.ts";
import type { Exchange } from "../../probes/probe.ts";
import { problemOf } from "../provocations.ts";
import { isSuccess, mediaType, see, withoutRoutes } from "../shared.ts";
import { headerFault } from "./headers.ts";
import { successFault } from "../success-faults.ts";

/** How much longer than its route's time an answer may take. */
const slackMs = 2000;

/** An upstream that says what it must not: what the contract has not, does not leave. */
export const liesStay: Check = {
  name: "what a lying upstream says stays inside",
  kind: "live",
  attack: { kind: "answers", promise: "response", per: "route" },
  isActive: true,
  isSlow: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some(({ to }) => context.contract.upstreams.has(to))
      ? undefined
      : "no route has an upstream"),
  lacks: ({ declaredRoutes, plan: { lies } }) =>
    declaredRoutes.some(({ key }) => (lies?.[key]?.length ?? 0) > 0)
      ? undefined
      : "the plan's lies name no input that an upstream answers wrongly",
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const lies = context.plan.lies?.[route.key] ?? [];
      if (lies.length > 0 && !(await isServed(context, tally, route))) continue;
      for (const lie of lies) await hear(context, tally, route, lie);
      if (lies.length === 0) tally.notApplicable(`no lie of ${route.key}'s upstream is prepared`);
    }
  },
};

/** A route that answers nobody hides its upstream's lies with the rest. */
async function isServed(context: AuditContext, tally: Tally, route: ContractRoute): Promise<boolean> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) {
    tally.miss(lacking(context, route));
    return false;
  }
  const { response } = await context.caller.call({ route, ...honest });
  if (!isSuccess(response.status))
    tally.miss(`${route.key}: the honest request was answered ${response.status}`);
  return isSuccess(response.status);
}

async function hear(context: AuditContext, tally: Tally, route: ContractRoute, lie: AuditLie): Promise<void> {
  const { what, isTooLong = false, isRefused = false, ...sample } = lie;
  const [honest] = honestCalls(context, route, sample);
  if (honest === undefined)
    return tally.miss(`${route.key} does not accept the plan's input for the lie "${what}"`);
  const about = `${route.key}, whose upstream lies (${what})`;
  let exchange = await (isTooLong && route.stream?.kind === "download"
    ? callForFile(context, { route, ...honest })
    : context.caller.call({ route, ...honest }));
  if (exchange === undefined)
    return tally.pass({
      kind: "measurement",
      about,
      value: "the file is cut off, so that nobody takes it for whole",
    });
  if (isLate(route, exchange)) {
    // Once more: the machine may have been busy with something else, and so may the target.
    exchange = await context.caller.call({ route, ...honest });
    if (isLate(route, exchange) && (await isSlow(context, route)))
      return tally.miss(
        `${about}: it took ${Math.round(exchange.response.durationMs)} ms, and honest answers take long too`,
      );
  }
  const served = isSuccess(exchange.response.status);
  const fault =
    served && isTooLong
      ? `it is longer than the contract lets an answer be (${maxBytesOf(context, route)} bytes), and was ${route.stream === undefined ? "read" : "passed on"}`
      : served && isRefused
        ? `${honest.as ?? "a visitor"} is served, although nothing says that they may have it`
        : faultOf(context, route, exchange);
  tally.expect(fault === undefined, see(context, `${about}: ${fault ?? "nothing of it leaves"}`, exchange));
}

/** Undefined: the answer was cut off. What left of a file before it was known to be too long can't be taken back. */
async function callForFile(context: AuditContext, call: Call): Promise<Exchange | undefined> {
  try {
    return await context.caller.call(call);
  } catch (error) {
    if (isCurtainwallError(error) && error.code === "AUDIT_ANSWER_INVALID") return undefined;
    throw error;
  }
}

const maxBytesOf = ({ contract }: AuditContext, { to, stream }: ContractRoute): number | string =>
  stream?.kind === "download" ? stream.maxBytes : (contract.upstreams.get(to)?.maxResponseBytes ?? "?");

const isLate = ({ timeoutMs }: ContractRoute, { response }: Exchange): boolean =>
  response.durationMs > timeoutMs + slackMs;

/** Whether who is honest waits too. */
async function isSlow(context: AuditContext, route: ContractRoute): Promise<boolean> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return true;
  const { response } = await context.caller.call({ route, ...honest });
  return response.durationMs > slackMs / 2;
}

function faultOf(context: AuditContext, route: ContractRoute, exchange: Exchange): string | undefined {
  const { response } = exchange;
  const text = response.text();
  const all = `${response.headers.map((header) => header.join(": ")).join("\n")}\n${text}`;
  const canary = context.plan.canaries?.find((planted) => all.includes(planted));
  if (canary !== undefined) return `the canary "${canary}" left`;
  if (response.header("set-cookie") !== undefined) return "a cookie is set";
  if (isLate(route, exchange))
    return `it took ${Math.round(response.durationMs)} ms, and ${route.timeoutMs} are allowed`;
  if (isSuccess(response.status)) {
    const body = successFault(route, exchange);
    return body?.kind === "fault" ? body.what : headerFault(context, route, response);
  }
  const [leak] = [...findLeaks(text), ...findHeaderLeaks(response.headers)];
  if (leak !== undefined) return `shows ${leak.what}: ${leak.excerpt}`;
  if (response.status >= 300 && response.status < 400) return "visitors are sent to where it says";
  const isProblem =
    mediaType(exchange) === "application/problem+json" && typeof problemOf(exchange)?.id === "string";
  return isProblem || route.errors.has(response.status) ? undefined : "it is no error of ours";
}
