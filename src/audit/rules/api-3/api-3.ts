import type { ContractRoute } from "../../../contract/index.ts";
import { isCurtainwallError } from "../../../shared/index.ts";
import { notForwarded } from "./arrivals.ts";
import { poison } from "./poison.ts";
import { noPollution } from "./pollution.ts";
import { framing, soleLines } from "./framing.ts";
import { nearHosts } from "./near-hosts.ts";
import { noLateTunnels, noLateVisits } from "./baits.ts";
import { noForgedRequests } from "./ssrf.ts";
import { noTunnels } from "./tunnels.ts";
import { noTunnelStreams } from "./tunnel-streams.ts";
import type { Check, Rule, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { leftOut, mutate } from "../../mutate/mutate.ts";
import type { MutantKind, PlacedMutant } from "../../mutate/mutate.ts";
import type { AuditInput } from "../../plan/plan.ts";
import { readState } from "../state.ts";
import { isClientError, isSuccess, see, takeTurns, withoutRoutes } from "../shared.ts";
import { expectServed } from "../unserved.ts";

const writes = (route: ContractRoute): boolean => route.method !== "GET";

const inputParts = ["params", "query", "headers", "cookies", "body"] as const;

const hasSchema: Check = {
  name: "a schema for every input",
  kind: "source",
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async ({ contract }, tally) => {
    for (const route of contract.routes) {
      const at = `routes[${JSON.stringify(route.key)}]`;
      const opened = contract.weakenings.find((weakening) => weakening.at.startsWith(at));
      const namesParams = route.segments.some((segment) => "param" in segment);
      tally.expect(opened === undefined && namesParams === (route.params !== undefined), {
        kind: "contract",
        about:
          opened === undefined
            ? `${route.key}: ${inputParts.filter((part) => route[part] !== undefined).join(", ") || "no input"}; anything else is refused`
            : opened.at.endsWith(".insecureObserve")
              ? `${route.key} is observed until ${route.observe?.until}, and not enforced: ${opened.reason}`
              : `${route.key} accepts undeclared fields: ${opened.reason}`,
        at,
      });
    }
  },
};

const control: Check = {
  name: "what the contract accepts is accepted",
  kind: "live",
  attack: { kind: "input", promise: "body", per: "route", isControl: true },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const honest = takeTurns(context, route, tally)?.();
      if (honest === undefined) continue;
      const exchange = await context.caller.call({ route, ...honest });
      expectServed(context, tally, { route, about: "an honest request passes", exchange });
    }
  },
};

/** What can't be tried on one route says nothing of the others. */
async function attackOrMiss(...of: Parameters<typeof attack>): Promise<boolean> {
  try {
    return await attack(...of);
  } catch (error) {
    if (!isCurtainwallError(error, "AUDIT_ROUTE_UNAVAILABLE")) throw error;
    const [, , , tally] = of;
    tally.miss(error.message);
    return true;
  }
}

/**
 * Sends every mutant of some kinds to a route; tells whether there was one, or could be.
 *
 * Refused is what is answered 4xx. A failure (5xx) is a finding, not a refusal: what makes a server fail was let in by whoever should have refused it, and
 * somebody behind fell over it. That a machine has too much to do (503) is asked again by the caller before it comes here.
 */
async function attack(
  context: AuditContext,
  route: ContractRoute,
  kinds: ReadonlySet<MutantKind>,
  tally: Tally,
): Promise<boolean> {
  const next = takeTurns(context, route, tally);
  if (next === undefined) return true;
  const made = new Map<AuditInput, readonly PlacedMutant[]>();
  const mutantsOf = (input: AuditInput): readonly PlacedMutant[] => {
    const known = made.get(input) ?? mutate(route, input).filter(({ kind }) => kinds.has(kind));
    made.set(input, known);
    return known;
  };
  const { input: first } = next();
  const count = mutantsOf(first).length;
  const untried = kinds.has("type") || kinds.has("bounds") ? leftOut(route, first) : [];
  if (untried.length > 0)
    tally.miss(
      `${route.key}: the sample leaves out more fields than are tried, among them ${untried.slice(0, 3).join(", ")}; a sample that has them has them tried`,
    );
  let isApplicable = false;
  for (let index = 0; index < count; index++) {
    // Each identity's own input is mutated, so that what is refused is the mutation and not the caller.
    const { as, input } = next();
    const mutant = mutantsOf(input)[index];
    if (mutant === undefined) continue;
    isApplicable = true;
    const { name, kind: _, status: only, promise, ...bent } = mutant;
    if (writes(route)) await remember(context, route);
    const exchange = await context.caller.call({ route, as, input, ...bent });
    const { status } = exchange.response;
    if (status === 403 && route.webhook !== undefined)
      tally.miss(`${route.key}: the signature of a mutated body was refused, so validation was not reached`);
    else if (status === 401)
      tally.miss(`${route.key}: the token of ${as} was refused, so validation was not reached`);
    else
      tally.expect(only === undefined ? isClientError(status) : status === only, {
        ...see(context, `${route.key}: ${name} must be refused (${only ?? "4xx"})`, exchange),
        promise,
      });
  }
  return isApplicable;
}

function mutations(name: string, ...kinds: MutantKind[]): Check {
  return {
    name,
    kind: "live",
    attack: { kind: "input", promise: "body", per: "route" },
    isActive: true,
    notApplicable: withoutRoutes,
    run: async (context, tally) => {
      let isApplicable = false;
      for (const route of context.contract.routes)
        if (await attackOrMiss(context, route, new Set(kinds), tally)) isApplicable = true;
      if (!isApplicable) tally.notApplicable("no route has an input that this could be done to");
    },
  };
}

/** What routes wrote before the first mutant was sent, by audit. */
const before = new WeakMap<AuditContext, Map<string, { state: string | undefined; refused: number }>>();

/** Remembers a writing route's state before its first mutant, and counts the mutants. */
async function remember(context: AuditContext, route: ContractRoute): Promise<void> {
  let states = before.get(context);
  if (states === undefined) before.set(context, (states = new Map()));
  const known = states.get(route.key);
  if (known === undefined) states.set(route.key, { state: await readState(context, route), refused: 1 });
  else known.refused++;
}

const unchanged: Check = {
  name: "state unchanged",
  kind: "live",
  attack: { kind: "input", promise: "body", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some(writes) ? undefined : "no route changes anything"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(writes)) {
      const start = before.get(context)?.get(route.key);
      if (start?.state === undefined) {
        tally.miss(`the plan's state says no way to see what ${route.key} changes`);
        continue;
      }
      const honest = takeTurns(context, route, tally)?.();
      if (honest === undefined) continue;
      const after = await readState(context, route);
      tally.expect(after === start.state, {
        kind: "measurement",
        about: `${route.key}: what it writes, before and after ${start.refused} mutated requests`,
        value: after === start.state ? "the same" : "changed",
      });
      const exchange = await context.caller.call({ route, ...honest });
      const changed = await readState(context, route);
      if (isSuccess(exchange.response.status) && changed !== after)
        tally.pass(
          see(context, `${route.key}: an honest request does change it, and that is seen`, exchange),
        );
      else
        tally.miss(
          `${route.key}: an honest request changed nothing that the plan's state shows, so it would not show a dishonest one's change`,
        );
    }
  },
};

/** API-3: input validation on body, params and query. */
export const api3: Rule = {
  id: "API-3",
  checks: [
    hasSchema,
    control,
    mutations("wrong types", "type"),
    mutations("bounds", "bounds", "missing key"),
    mutations("extra keys", "extra key"),
    mutations("duplicate keys", "duplicate key"),
    mutations("__proto__ and constructor", "prototype key"),
    mutations("depth", "depth"),
    mutations("counts and lengths", "counts"),
    mutations("size", "size"),
    mutations("malformed JSON, paths and text", "malformed"),
    mutations("media types", "media type"),
    unchanged,
    notForwarded,
    noForgedRequests,
    noTunnels,
    noTunnelStreams,
    soleLines,
    nearHosts,
    framing,
    ...poison,
    noLateVisits,
    noLateTunnels,
    noPollution,
  ],
};
