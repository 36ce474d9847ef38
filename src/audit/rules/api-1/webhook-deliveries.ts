import type { AuditContext } from "../../context.ts";
import type { Exchange, ProbeRequest } from "../../probes/probe.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { Caller } from "../../requests/caller.ts";
import { signaturesUnchecked } from "../../requests/signatures-unchecked.ts";
import type { WebhookRoute } from "../webhooks.ts";

/** Senders that give deliveries no name sign the second: what is signed in the next one is another. */
export const anewMs = 1100;
const mostDeliveries = 3;

/**
 * An honest delivery. What fails for another reason than that it is not believed is made anew, as its sender does.
 *
 * @throws {CurtainwallError} `AUDIT_ROUTE_UNAVAILABLE` where signatures can't be checked: that says nothing of what is done with them
 */
export async function deliver(
  context: AuditContext,
  route: WebhookRoute,
): Promise<{ request: ProbeRequest; first: Exchange } | undefined> {
  for (let tries = 1; ; tries++) {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) return undefined;
    const request = await context.caller.request({ route, ...honest });
    const first = await context.caller.send(request);
    if (first.response.status < 500) return { request, first };
    if (tries === mostDeliveries) {
      const unchecked = signaturesUnchecked(route, first);
      if (unchecked !== undefined) throw unchecked;
      return { request, first };
    }
    await context.sleep(anewMs);
  }
}

/** 409 says that the first one is not settled yet, and that is no verdict on the second. */
export async function sendAgain(
  context: AuditContext,
  caller: Caller,
  request: ProbeRequest,
): Promise<Exchange> {
  for (let tries = 1; ; tries++) {
    const exchange = await caller.send(request);
    if (exchange.response.status !== 409 || tries === 10) return exchange;
    await context.sleep(100);
  }
}

/** A delivery that a route took, and when, in milliseconds since 1970. */
export interface Taken {
  readonly request: ProbeRequest;
  readonly at: number;
}

/** The first that each route took, by audit. */
const firstTaken = new WeakMap<AuditContext["tokens"], Map<string, Taken>>();

/** Notes what a route took, for who asks at the end whether it still knows. */
export function rememberTaken(context: AuditContext, route: WebhookRoute, request: ProbeRequest): void {
  const taken = firstTaken.get(context.tokens) ?? new Map<string, Taken>();
  firstTaken.set(context.tokens, taken);
  if (takenFirst(context, route) === undefined) taken.set(route.key, { request, at: context.now() });
}

/** What a route took first, as far as anybody noted it, and its signature still holds: what is too old is refused for that. */
export function takenFirst(context: AuditContext, { key, webhook }: WebhookRoute): Taken | undefined {
  const taken = firstTaken.get(context.tokens)?.get(key);
  const isOver = taken !== undefined && context.now() - taken.at > (webhook.toleranceSeconds * 1000) / 2;
  return isOver ? undefined : taken;
}
