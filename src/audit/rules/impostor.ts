import type { Contract, ContractRoute } from "../../contract/index.ts";
import type { Caller } from "../requests/caller.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../requests/inputs.ts";
import type { AuditImpostor, AuditImpostors } from "../plan/plan.ts";
import type { Exchange, TlsFacts, TlsProbe } from "../probes/probe.ts";
import { hopTo } from "./api-8/hops.ts";
import { isSuccess, see } from "./shared.ts";
import { unservedBy } from "./unserved.ts";
import { grantsOf, usersOfSecrets } from "./sec-5/questions.ts";

/** A service whose place somebody may take, and the routes that cause it to be asked. */
export interface Impersonated {
  readonly origin: string;
  readonly caFile: string | undefined;
  readonly routes: readonly ContractRoute[];
}

/** A connection that was kept open may be noticed to have ended only by a request that it fails. */
const mostCalls = 3;
/** Who found a service failing may let it rest for a while. */
const rest = { looks: 40, eachMs: 250 };
/** What is tried again, or stood in a queue, comes later: as long as this the impostor stays, once it was called. */
const lateness = { looks: 4, eachMs: 100 };

type Flaw = keyof AuditImpostors;

/** How an impostor's certificate has to look to who verifies it, and what the report calls it. Anything else wrong with it would be what it is found out by. */
const flaws: Readonly<Record<Flaw, { is: string; shows: (facts: TlsFacts) => boolean }>> = {
  wrongAuthority: {
    is: "an impostor of another authority",
    shows: ({ certificateProblem, isForHost }) => certificateProblem !== undefined && isForHost,
  },
  wrongName: {
    is: "an impostor with another name",
    shows: ({ certificateProblem }) => certificateProblem === wrongNameAlone,
  },
};

/** What Node says once the chain has verified. */
const wrongNameAlone = "ERR_TLS_CERT_ALTNAME_INVALID";

/**
 * Makes a route's honest request while an impostor stands in the service's place: one of another authority, then one with another name. What must not happen is
 * that it is told anything. That nobody came to it shows nothing, and nor does it where who is honest is not served before.
 */
export async function meetImpostors(
  context: AuditContext,
  tally: Tally,
  service: Impersonated,
): Promise<void> {
  const { origin, routes } = service;
  const places = context.plan.impostors?.[origin];
  if (places === undefined) return tally.miss(`the plan's impostors have none of ${origin}`);
  const route = routes.find((candidate) => honestCalls(context, candidate).length > 0);
  if (route === undefined)
    return tally.miss(
      routes[0] === undefined ? `no route causes ${origin} to be asked` : lacking(context, routes[0]),
    );
  for (const flaw of ["wrongAuthority", "wrongName"] as const) {
    const place = places[flaw];
    if (place === undefined)
      tally.miss(
        `${origin}: nobody showed that the name in a certificate is looked at (the plan's impostors have no wrongName)`,
      );
    else
      await context.alone((caller, tls) =>
        meet(context, tally, { caller, tls, route, service, flaw, place }),
      );
  }
}

interface Appointment {
  readonly caller: Caller;
  readonly tls: TlsProbe;
  readonly route: ContractRoute;
  readonly service: Impersonated;
  readonly flaw: Flaw;
  readonly place: () => Promise<AuditImpostor>;
}

async function meet(context: AuditContext, tally: Tally, appointment: Appointment): Promise<void> {
  const { caller, route, place } = appointment;
  const before = await callHonestly(context, caller, route);
  if (!isSuccess(before.response.status)) return tally.miss(unservedBy(context, route, before));
  const impostor = await place();
  try {
    await judge(context, tally, appointment, impostor);
  } finally {
    await impostor.leave();
    await untilServed(context, tally, caller, route);
  }
}

function callHonestly(context: AuditContext, caller: Caller, route: ContractRoute): Promise<Exchange> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) throw new Error(lacking(context, route));
  return caller.call({ route, ...honest });
}

async function judge(
  context: AuditContext,
  tally: Tally,
  appointment: Appointment,
  impostor: AuditImpostor,
): Promise<void> {
  const { caller, route, service, flaw } = appointment;
  const { origin } = service;
  const fault = await faultOf(context, appointment, impostor);
  if (fault !== undefined)
    return tally.miss(`${flaws[flaw].is}, in the place of ${origin}, shows nothing: ${fault}`);
  const { hellos: own } = await impostor.seen();
  const hasCome = async (): Promise<boolean> => (await impostor.seen()).hellos > own;
  let exchange = await callHonestly(context, caller, route);
  for (let call = 2; call <= mostCalls && !(await hasCome()); call++)
    exchange = await callHonestly(context, caller, route);
  const { hellos, requests } = await lastSeen(context, impostor);
  const about = `${route.key}, with ${flaws[flaw].is} in the place of ${origin}`;
  if (requests > 0) tally.fail(see(context, `${about}: it is sent the request`, exchange));
  else if (hellos > own)
    tally.pass(see(context, `${about}: it is found out by its certificate, and told nothing`, exchange));
  else tally.miss(`${route.key}: nobody came to ${flaws[flaw].is} in the place of ${origin} and said hello`);
}

/** Goes there first, as anybody may: an impostor who is not what the plan says, or who counts what it should not, shows nothing of who comes next. */
async function faultOf(
  context: AuditContext,
  { tls, service: { origin, caFile }, flaw }: Appointment,
  impostor: AuditImpostor,
): Promise<string | undefined> {
  const hop = await hopTo(context, { url: new URL(origin), caFile });
  const facts = await tls.connect(hop);
  if (!flaws[flaw].shows(facts))
    return `its certificate is for ${facts.subject} (${facts.certificateProblem ?? "it verifies"})`;
  const { hellos } = await impostor.seen();
  if (hellos === 0) return "a hello to it is not counted";
  await tls.plain(hop, "GET / HTTP/1.0\r\n\r\n");
  return (await impostor.seen()).hellos > hellos
    ? "what is no hello counts as one, so that whoever connects would seem to have seen its certificate"
    : undefined;
}

/** What came to it, looked at for a while: a request is known as soon as it comes. */
async function lastSeen({ sleep }: AuditContext, impostor: AuditImpostor): ReturnType<AuditImpostor["seen"]> {
  for (let look = 0; look < lateness.looks && (await impostor.seen()).requests === 0; look++)
    await sleep(lateness.eachMs);
  return impostor.seen();
}

/** Whoever is asked next meets the service again. */
async function untilServed(
  context: AuditContext,
  tally: Tally,
  caller: Caller,
  route: ContractRoute,
): Promise<void> {
  for (let look = 0; look < rest.looks; look++) {
    if (isSuccess((await callHonestly(context, caller, route)).response.status)) return;
    await context.sleep(rest.eachMs);
  }
  tally.miss(`${route.key} is not served since the impostor left`);
}

/** Services that egress reaches, each with the routes whose answers it has a part in. */
export const reachedByEgress = (contract: Contract): Impersonated[] =>
  [...contract.egressOrigins.values()].map(({ origin, caFile }) => {
    const users = new Set(
      usersOfSecrets(contract).filter((user) =>
        grantsOf(contract, user).some((use) => use.origin === origin),
      ),
    );
    return {
      origin,
      caFile,
      routes: contract.routes.filter(({ key, to }) => users.has(key) || users.has(to)),
    };
  });
