import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { useOverConnections } from "../../requests/used-connections.ts";
import { isSuccess, see } from "../shared.ts";
import { expectRefusal } from "./given-away.ts";
import type { RevokedCall } from "./revoked-calls.ts";

/** Judges, once a token was revoked, what becomes of it over the connections where it was used. */
export interface RevokedConnections {
  /**
   * @param at when it was revoked, in milliseconds since 1970
   * @param until until when who has not heard yet may go on, in the same
   */
  judge(at: number, until: number): Promise<void>;
  close(): void;
}

/** How long is waited before they are asked once more. */
const pauseMs = 200;

/** Uses a token over connections that are kept, as a page that is open does, before it is revoked. */
export async function revokedConnections(
  context: AuditContext,
  tally: Tally,
  { route, input }: RevokedCall,
  value: string,
): Promise<RevokedConnections> {
  const token = { name: "token of the plan's revocable", value };
  const connections = await useOverConnections(context, { route, input, token });
  const [control] = connections.answers;
  return {
    close: connections.close,
    async judge(at, until) {
      let exchanges = await connections.askAgain();
      while (exchanges.some(({ response }) => isSuccess(response.status)) && context.now() < until) {
        await context.sleep(Math.min(pauseMs, until - context.now()));
        exchanges = await connections.askAgain();
      }
      for (const exchange of exchanges) {
        const { protocol, status } = exchange.response;
        const where = `over the ${protocol} connection where it was used before`;
        const later = `${((context.now() - at) / 1000).toFixed(1)} s later`;
        if (isSuccess(status))
          tally.fail(
            see(context, `${route.key}: a token that was revoked goes on ${where}, ${later}`, exchange),
          );
        else
          expectRefusal(context, tally, {
            about: `${route.key}: a token that was revoked is refused ${where}, ${later}`,
            exchange,
            told: { canary: input.canary, control, route },
          });
      }
    },
  };
}
