import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { refusedAndNotDone } from "../deliveries.ts";
import { isSuccess } from "../shared.ts";
import { webhookRoutes, withoutWebhooks } from "../webhooks.ts";
import type { WebhookRoute } from "../webhooks.ts";
import { anewMs, deliver, rememberTaken, sendAgain, takenFirst } from "./webhook-deliveries.ts";

/**
 * What was taken is remembered for as long as its signature holds: not for a few seconds, and not until others came. It runs last, so that what was taken
 * first lies as far back as the audit does.
 */
export const rememberedWebhook: Check = {
  name: "a webhook stays taken, later and after others",
  kind: "live",
  attack: { kind: "webhooks", promise: "webhook", per: "route" },
  isActive: true,
  isSupporting: true,
  isLast: true,
  notApplicable: withoutWebhooks,
  run: async (context, tally) => {
    for (const route of webhookRoutes(context)) await tryRoute(context, tally, route);
  },
};

async function tryRoute(context: AuditContext, tally: Tally, route: WebhookRoute): Promise<void> {
  if (takenFirst(context, route) === undefined && !(await takeOne(context, tally, route))) return;
  const taken = takenFirst(context, route);
  if (taken === undefined) return;
  await context.sleep(anewMs);
  if (!(await takeOne(context, tally, route))) return;
  const seconds = Math.round((context.now() - taken.at) / 1000);
  const { toleranceSeconds } = route.webhook;
  const about = `${route.key}: what was taken ${seconds} s before, and others since, must be refused (403); its signature holds for ${toleranceSeconds} s`;
  await refusedAndNotDone(context, tally, {
    route,
    make: async (own) => [{ about, send: (caller) => sendAgain(own, caller, taken.request) }],
  });
}

/** Has a delivery taken. */
async function takeOne(context: AuditContext, tally: Tally, route: WebhookRoute): Promise<boolean> {
  const delivery = await deliver(context, route);
  if (delivery === undefined) {
    tally.miss(`the plan makes no delivery to ${route.key}`);
    return false;
  }
  const { request, first } = delivery;
  const isTaken = isSuccess(first.response.status);
  if (isTaken) rememberTaken(context, route, request);
  else tally.miss(`${route.key}: an honest delivery was answered ${first.response.status}`);
  return isTaken;
}
