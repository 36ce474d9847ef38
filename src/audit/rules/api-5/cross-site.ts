import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { isClientError, isSuccess, see, takeTurns, withoutRoutes } from "../shared.ts";
import { unchanged } from "../state.ts";

const elsewhere = "https://attacker.invalid";

/** What browsers say of requests that no page of the site makes. A browser without `Sec-Fetch-Site` says the origin alone. */
function otherPages({ contract }: AuditContext): (readonly [what: string, headers: [string, string][]])[] {
  const { origin, corsOrigins } = contract;
  const [allowed] = corsOrigins;
  return [
    [
      "a form on another site's page",
      [
        ["origin", elsewhere],
        ["sec-fetch-site", "cross-site"],
        ["sec-fetch-mode", "navigate"],
        ["referer", `${elsewhere}/`],
      ],
    ],
    [
      "another site's page that hides its origin",
      [
        ["origin", "null"],
        ["sec-fetch-site", "cross-site"],
      ],
    ],
    ["another site's page, of which the browser says nothing else", [["sec-fetch-site", "cross-site"]]],
    ["a page of a neighbour under the same domain", [["sec-fetch-site", "same-site"]]],
    ["another site's page in an old browser", [["origin", elsewhere]]],
    ["a page that hides its origin in an old browser", [["origin", "null"]]],
    ["a page whose origin begins like the site's", [["origin", `${origin}.attacker.invalid`]]],
    [
      "a page of the site, says the origin, and another's, says the browser",
      [
        ["origin", origin],
        ["sec-fetch-site", "cross-site"],
      ],
    ],
    ...(allowed === undefined
      ? []
      : [
          [
            "a page that may call the API, and is none of the site's",
            [
              ["origin", allowed],
              ["sec-fetch-site", "cross-site"],
            ],
          ] as const,
        ]),
  ] as (readonly [string, [string, string][]])[];
}

/**
 * Cross-site request forgery, where a session is created: whose page may make a visitor's browser do that. It belongs to this row because the
 * allow-list says whose pages may call, and a form or a simple request asks for no preflight: without this check the list would be about reading
 * answers only.
 */
export const crossSite: Check = {
  name: "a session is created for pages of the site alone",
  kind: "live",
  attack: { kind: "csrf", promise: "createsSession", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some((route) => route.createsSession)
      ? undefined
      : "no route creates a session"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter((candidate) => candidate.createsSession)) {
      const next = takeTurns(context, route, tally);
      if (next === undefined) continue;
      await unchanged(context, tally, route, async () => {
        for (const [what, headers] of otherPages(context)) {
          const exchange = await context.caller.call({ route, ...next(), headers });
          tally.expect(
            isClientError(exchange.response.status),
            see(context, `${route.key}: ${what} is refused (403)`, exchange),
          );
        }
        const silent = await context.caller.call({ route, ...next(), isFromNoPage: true });
        tally.expect(
          isClientError(silent.response.status),
          see(context, `${route.key}: what says nothing of the page is refused (403)`, silent),
        );
      });
      const own = await context.caller.call({ route, ...next() });
      tally.expect(
        isSuccess(own.response.status),
        see(context, `${route.key}: a page of the site may ask`, own),
      );
    }
  },
};
