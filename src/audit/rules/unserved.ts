import type { ContractRoute } from "../../contract/index.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Exchange } from "../probes/probe.ts";
import { problemOf } from "./provocations.ts";
import { isSuccess, see } from "./shared.ts";

/** Whoever fails has neither let anybody in nor refused anybody. */
export const isFailure = (status: number): boolean => status >= 500;

/** An answer in few words: its status, and of a failure its code and where the log tells what failed. */
export function answerOf({ commands }: Pick<AuditContext, "commands">, exchange: Exchange): string {
  const { status } = exchange.response;
  const code = problemOf(exchange)?.code;
  if (!isFailure(status) || typeof code !== "string" || !/^[A-Z_]{1,60}$/.test(code)) return String(status);
  if (!code.startsWith("GATEWAY_")) return `${status} ${code}`;
  const [says, event] =
    code === "GATEWAY_ANSWER_INVALID"
      ? ["the log names the field", "gateway.answer.refused"]
      : ["the log says why", '"gateway.*"'];
  return `${status} ${code} (${says}: ${commands.curtainwall("log query")} --event ${event})`;
}

/** Why nothing is known where who is honest is not served. */
export const unservedBy = (
  context: Pick<AuditContext, "commands">,
  { key }: ContractRoute,
  exchange: Exchange,
): string => `${key}: the honest request was answered ${answerOf(context, exchange)}`;

/**
 * An honest request is to be served. That it fails (5xx) says nothing of who is let in, so that is missing; false, unless it is served.
 *
 * @param about what is seen in it where it is served or refused, as evidence says it
 */
export function expectServed(
  context: AuditContext,
  tally: Tally,
  { route, about, exchange }: { route: ContractRoute; about: string; exchange: Exchange },
): boolean {
  const { status } = exchange.response;
  if (isFailure(status)) tally.miss(unservedBy(context, route, exchange));
  else tally.expect(isSuccess(status), see(context, `${route.key}: ${about}`, exchange));
  return isSuccess(status);
}
