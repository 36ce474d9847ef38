import type { Contract, ContractRoute } from "../../contract/index.ts";
import type { Caller } from "../caller.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../inputs.ts";
import type { AuditImpostor } from "../plan.ts";
import type { Exchange } from "../probe.ts";
import { isSuccess, see } from "./shared.ts";
import { grantsOf, usersOfSecrets } from "./sec-5/questions.ts";

/** A service whose place somebody may take, and the routes that cause it to be asked. */
export interface Impersonated {
  readonly origin: string;
  readonly routes: readonly ContractRoute[];
}

/** A connection that was kept open may be noticed to have ended only by a request that it fails. */
const mostCalls = 3;
/** Who found a service failing may let it rest for a while. */
const mostRestSeconds = 10;

/**
 * Makes a route's honest request while an impostor stands in the service's place. What must not happen is that the impostor is told anything. That
 * nobody came to it shows nothing, and nor does it where who is honest is not served before.
 */
export async function meetImpostor(
  context: AuditContext,
  tally: Tally,
  { origin, routes }: Impersonated,
): Promise<void> {
  const place = context.plan.impostors?.[origin];
  if (place === undefined) return tally.miss(`the plan's impostors have none of ${origin}`);
  const route = routes.find((candidate) => honestCalls(context, candidate).length > 0);
  if (route === undefined)
    return tally.miss(
      routes[0] === undefined ? `no route causes ${origin} to be asked` : lacking(context, routes[0]),
    );
  await context.alone(async (caller) => {
    const before = await callHonestly(context, caller, route);
    if (!isSuccess(before.response.status))
      return tally.miss(`${route.key}: the honest request was answered ${before.response.status}`);
    const impostor = await place();
    try {
      await judge(context, tally, { caller, route, origin, impostor });
    } finally {
      await impostor.leave();
      await untilServed(context, tally, caller, route);
    }
  });
}

function callHonestly(context: AuditContext, caller: Caller, route: ContractRoute): Promise<Exchange> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) throw new Error(lacking(context, route));
  return caller.call({ route, ...honest });
}

interface Meeting {
  readonly caller: Caller;
  readonly route: ContractRoute;
  readonly origin: string;
  readonly impostor: AuditImpostor;
}

async function judge(
  context: AuditContext,
  tally: Tally,
  { caller, route, origin, impostor }: Meeting,
): Promise<void> {
  for (let call = 1; call <= mostCalls; call++) {
    const exchange = await callHonestly(context, caller, route);
    const { connections, requests } = await impostor.seen();
    const about = `${route.key}, with an impostor in the place of ${origin}`;
    if (requests > 0) return tally.fail(see(context, `${about}: it is sent the request`, exchange));
    if (connections > 0)
      return tally.pass(
        see(context, `${about}: it is found out by its certificate, and told nothing`, exchange),
      );
  }
  tally.miss(`${route.key}: nobody came to the impostor in the place of ${origin}`);
}

/** Whoever is asked next meets the service again. */
async function untilServed(
  context: AuditContext,
  tally: Tally,
  caller: Caller,
  route: ContractRoute,
): Promise<void> {
  for (let seconds = 0; seconds < mostRestSeconds; seconds++) {
    if (isSuccess((await callHonestly(context, caller, route)).response.status)) return;
    await context.sleep(1000);
  }
  tally.miss(`${route.key} is not served since the impostor left`);
}

/** Services that egress reaches, each with the routes whose answers it has a part in. */
export const reachedByEgress = (contract: Contract): Impersonated[] =>
  [...contract.egressOrigins.keys()].map((origin) => {
    const users = new Set(
      usersOfSecrets(contract).filter((user) =>
        grantsOf(contract, user).some((use) => use.origin === origin),
      ),
    );
    return {
      origin,
      routes: contract.routes.filter(({ key, to }) => users.has(key) || users.has(to)),
    };
  });
