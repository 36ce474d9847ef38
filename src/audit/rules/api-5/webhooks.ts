import type { Check } from "../../check.ts";
import { refusedAndNotDone } from "../deliveries.ts";
import { isClientError, isSuccess, see, takeTurns } from "../shared.ts";
import { webhookRoutes, withoutWebhooks } from "../webhooks.ts";

const elsewhere = "https://attacker.invalid";

/**
 * Nobody's page sends webhooks, the site's own neither: what a browser says of a page is refused, though it is signed. Else whoever gets a sender to
 * sign something could have visitors' browsers deliver it.
 */
export const webhooksFromPages: Check = {
  name: "a webhook is taken from no page",
  kind: "live",
  attack: { kind: "csrf", promise: "webhook", per: "route" },
  isActive: true,
  notApplicable: withoutWebhooks,
  run: async (context, tally) => {
    const { origin, corsOrigins } = context.contract;
    const pages: [string, string][] = [
      ...[elsewhere, "null", origin, ...corsOrigins].map((from): [string, string] => ["origin", from]),
      ["sec-fetch-site", "cross-site"],
      ["sec-fetch-site", "same-origin"],
    ];
    for (const route of webhookRoutes(context)) {
      const next = takeTurns(context, route, tally);
      if (next === undefined) continue;
      await refusedAndNotDone(context, tally, {
        route,
        refuses: isClientError,
        make: async () =>
          pages.map((header) => ({
            about: `${route.key}: signed rightly, and with ${header.join(": ")}, is refused (403)`,
            send: (caller) => caller.call({ route, ...next(), headers: [header] }),
          })),
      });
      const genuine = await context.caller.call({ route, ...next() });
      tally.expect(
        isSuccess(genuine.response.status),
        see(context, `${route.key}: without a page it is taken`, genuine),
      );
    }
  },
};
