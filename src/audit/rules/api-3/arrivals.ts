import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { mutate } from "../../mutate/mutate.ts";
import type { PlacedMutant } from "../../mutate/mutate.ts";
import { requestIdOf } from "../../upstream-witness.ts";
import type { ReceivedRequest } from "../../upstream-witness.ts";
import { callAndFollow, withoutWitness, witnessOf } from "../arrivals.ts";
import type { WitnessedUpstream } from "../arrivals.ts";
import { problemOf } from "../provocations.ts";
import { isSuccess, see, takeTurns } from "../shared.ts";

/** Of each kind, in each part of a request. The other checks try all of them, by what they are answered. */
const mostOfAKind = 2;
/** An upstream has bounds of its own, and refuses as the gateway would: each is looked for. */
const mostBounds = 24;

/** A refusal may be the upstream's own: only the upstream knows that it was not asked. */
export const notForwarded: Check = {
  name: "what a schema refuses does not come to its upstream",
  kind: "live",
  attack: { kind: "input", promise: "body", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutWitness,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const witness = witnessOf(context, route);
      if (witness !== undefined) await sendBroken(context, tally, route, witness);
      else tally.notApplicable(`nobody tells what ${route.to} is sent`);
    }
  },
};

async function sendBroken(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  witness: WitnessedUpstream,
): Promise<void> {
  const next = takeTurns(context, route, tally);
  if (next === undefined) return;
  for (const mutant of someOf(mutate(route, next().input))) {
    const { as, input } = next();
    // Each identity's own input is bent, so that what is refused is that and not the caller.
    const bent = mutate(route, input).find(({ name }) => name === mutant.name);
    if (bent === undefined) continue;
    const { name, kind: _, status: _status, promise, ...call } = bent;
    const exchange = await context.caller.call({ route, as, input, ...call });
    const id = problemOf(exchange)?.id;
    const about = `${route.key}: ${name}`;
    if (isSuccess(exchange.response.status))
      tally.fail({ ...see(context, `${about} is served`, exchange), promise });
    else if (typeof id !== "string")
      tally.miss(`${about}: the answer has no id that it could be looked for by`);
    else {
      const hasCome = (await witness.received()).some((request) => isOf(request, id, route, promise));
      tally.expect(!hasCome, {
        ...see(context, `${about} ${hasCome ? "comes" : "does not come"} to ${route.to}`, exchange),
        promise,
      });
    }
  }
  const { exchange, arrived } = await callAndFollow(context, route, witness, next());
  if (arrived === undefined && route.cache === undefined)
    tally.miss(
      `${route.key}: an honest request (${exchange.response.status}) was not seen at ${route.to} either`,
    );
}

/** Whose an object is may be asked, with parameters that hold, before a body is read. */
const isOf = (
  request: ReceivedRequest,
  id: string,
  route: ContractRoute,
  promise: PlacedMutant["promise"],
): boolean => requestIdOf(request) === id && (promise !== "body" || request.method === route.method);

function someOf(mutants: readonly PlacedMutant[]): PlacedMutant[] {
  const counts = new Map<string, number>();
  return mutants.filter(({ kind, promise }) => {
    const count = (counts.get(`${promise} ${kind}`) ?? 0) + 1;
    counts.set(`${promise} ${kind}`, count);
    return count <= (kind === "bounds" ? mostBounds : mostOfAKind);
  });
}
