import type { ContractRoute } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import type { LedgerEntry } from "../ledger-records.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { isSuccess } from "../shared.ts";
import { timed } from "./deeds.ts";
import type { Deed } from "./deeds.ts";

/** A delivery as its sender signs it, and one that nobody signed: what checks them says of each what became of it. */
export async function webhookCalls(context: AuditContext): Promise<Deed[]> {
  const deeds: Deed[] = [];
  for (const route of context.contract.routes.filter(({ webhook }) => webhook !== undefined)) {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) continue;
    const taken = await timed(context, () => context.caller.call({ route, ...honest }));
    if (isSuccess(taken.exchange.response.status)) deeds.push(deedOf(route, taken, "accepted"));
    const signed = await context.caller.request({ route, ...honest });
    // What is signed is another body.
    const refused = await timed(context, () => context.caller.send({ ...signed, body: "{}" }));
    if (refused.exchange.response.status === 403 || refused.exchange.response.status === 401)
      deeds.push(deedOf(route, refused, "refused"));
  }
  return deeds;
}

/** No record of these has the request's id: it is told by its route and its time. */
function deedOf(
  route: ContractRoute,
  done: Pick<Deed, "exchange" | "at">,
  what: "accepted" | "refused",
): Deed {
  const event = `webhook.${what}`;
  const isMeanwhile = ({ time }: LedgerEntry): boolean => {
    const when = Date.parse(String(time));
    return when >= done.at[0] && when <= done.at[1];
  };
  return {
    ...done,
    about: `a delivery ${what === "accepted" ? "taken" : "refused"} at ${route.key}`,
    isOf: (record) => record["event"] === event && record["route"] === route.key && isMeanwhile(record),
    says: {
      source: "egress",
      severity: what === "accepted" ? "notice" : "warning",
      secret: route.webhook?.secret,
    },
  };
}
