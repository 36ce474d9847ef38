import type { ContractRoute } from "../../../contract/index.ts";
import type { Call } from "../../requests/caller.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { mutate } from "../../mutate/mutate.ts";
import type { PlacedMutant } from "../../mutate/mutate.ts";
import type { AuditInput } from "../../plan/plan.ts";
import type { Exchange } from "../../probes/probe.ts";
import { arrivedSince, requestIdOf } from "../../probes/upstream-witness.ts";
import type { ReceivedRequest } from "../../probes/upstream-witness.ts";
import { callAndFollow, idOf, isAtSamePath, overWitnessed, withoutWitness } from "../arrivals.ts";
import type { WitnessedUpstream } from "../arrivals.ts";
import { comesEachTime } from "../each-time.ts";
import { isSuccess, see, takeTurns } from "../shared.ts";

/** Of each kind, in each part of a request. The other checks try all of them, by what they are answered. */
const mostOfAKind = 2;
/** An upstream has bounds of its own, and refuses as the gateway would: each is looked for. */
const mostBounds = 24;
/** How long is waited for what comes late, once all was sent: longer for a target that takes long. */
const [patienceMs, mostPatienceMs] = [250, 5000];

/** A refusal may be the upstream's own: only the upstream knows that it was not asked. */
export const notForwarded: Check = {
  name: "what a schema refuses does not come to its upstream",
  kind: "live",
  attack: { kind: "input", promise: "body", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutWitness,
  run: async (context, tally) => {
    const all: Sent[] = [];
    await overWitnessed(context, tally, async (route, witness) => {
      const sent = await sendBroken(context, tally, route, witness);
      if (sent !== undefined) all.push(sent);
    });
    await context.sleep(patienceFor(all.flatMap(({ bent }) => bent)));
    // Whose an object is may be asked at another route's path.
    const known = new Set(all.flatMap(({ bent, own }) => [...own, ...bent.map(({ id }) => id)]));
    for (const sent of all) {
      await lookFor(sent);
      for (const { about, promise, exchange, id, hasCome } of sent.bent) {
        const what = `${about} ${hasCome ? "comes" : "does not come"} to ${sent.route.to}`;
        if (id !== undefined) tally.expect(!hasCome, { ...see(context, what, exchange), promise });
      }
      if (sent.arrived.some((request) => !known.has(requestIdOf(request)) && isLike(sent, request)))
        await lookAlone(context, tally, sent);
    }
  },
};

/** A request that has to be refused. */
interface Bent {
  readonly about: string;
  readonly promise: PlacedMutant["promise"];
  readonly call: Call;
  readonly exchange: Exchange;
  readonly id: string | undefined;
  hasCome: boolean;
}

/** What a route was sent, and what came to its upstream meanwhile. */
interface Sent {
  readonly route: ContractRoute;
  readonly witness: WitnessedUpstream;
  readonly before: readonly ReceivedRequest[];
  readonly bent: readonly Bent[];
  /** Ids of what had to come. */
  readonly own: ReadonlySet<string | undefined>;
  arrived: readonly ReceivedRequest[];
}

async function sendBroken(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  witness: WitnessedUpstream,
): Promise<Sent | undefined> {
  const next = takeTurns(context, route, tally);
  if (next === undefined) return undefined;
  const before = await witness.received();
  const bent: Bent[] = [];
  const made = new Map<AuditInput, readonly PlacedMutant[]>();
  const mutantsOf = (input: AuditInput): readonly PlacedMutant[] => {
    const known = made.get(input) ?? mutate(route, input);
    made.set(input, known);
    return known;
  };
  for (const mutant of someOf(mutantsOf(next().input))) {
    const { as, input } = next();
    // Each identity's own input is bent, so that what is refused is that and not the caller.
    const same = mutantsOf(input).find(({ name }) => name === mutant.name);
    if (same === undefined) continue;
    const { name, kind: _, status: _status, promise, ...change } = same;
    const call = { route, as, input, ...change };
    const exchange = await context.caller.call(call);
    const about = `${route.key}: ${name}`;
    const id = idOf(exchange);
    if (isSuccess(exchange.response.status))
      tally.fail({ ...see(context, `${about} is served`, exchange), promise });
    // Whether it is a refusal (4xx) or a failure (5xx) the mutations' own checks judge, of the same requests: here it is who was asked.
    else bent.push({ about, promise, call, exchange, id, hasCome: false });
    if (id === undefined && !isSuccess(exchange.response.status))
      tally.miss(`${about}: the answer has no id that it could be looked for by`);
  }
  const own = await seeHonest(context, tally, route, witness);
  const sent = { route, witness, before, bent, own, arrived: [] };
  // Once all were sent it may have been forgotten.
  await lookFor(sent);
  return sent;
}

/** That nothing came shows something where what must come is seen, and where an answer tells the id, under that id. */
async function seeHonest(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  witness: WitnessedUpstream,
): Promise<Set<string | undefined>> {
  const { failures = {}, errors = {} } = context.plan;
  const own = new Set<string | undefined>();
  const refused = [failures[route.key], ...Object.values(errors[route.key] ?? {})];
  for (const sample of [undefined, ...refused.filter((one) => one !== undefined)]) {
    const [honest] = honestCalls(context, route, sample);
    if (honest === undefined) continue;
    const { exchange, arrived } = await callAndFollow(context, route, witness, honest);
    const id = idOf(exchange);
    const isKept = route.cache !== undefined && sample === undefined;
    if (arrived === undefined && !isKept)
      tally.miss(
        `${route.key}: an honest request (${exchange.response.status}) was not seen at ${route.to} either`,
      );
    if (arrived !== undefined && id !== undefined && id !== requestIdOf(arrived))
      tally.miss(
        `${route.key}: what comes to ${route.to} cannot be matched with answers: they tell another id`,
      );
    if (arrived !== undefined) own.add(requestIdOf(arrived));
  }
  return own;
}

const patienceFor = (bent: readonly Bent[]): number =>
  Math.min(
    mostPatienceMs,
    Math.max(patienceMs, ...bent.map(({ exchange }) => 2 * exchange.response.durationMs)),
  );

async function lookFor(sent: Sent): Promise<void> {
  const received = await sent.witness.received();
  sent.arrived = [...sent.arrived, ...arrivedSince(sent.before, received)];
  for (const bent of sent.bent) bent.hasCome ||= received.some((request) => isOf(request, bent, sent.route));
}

/** Whose an object is may be asked, with parameters that hold, before a body is read. */
const isOf = (request: ReceivedRequest, { id, promise }: Bent, { method }: ContractRoute): boolean =>
  id !== undefined && requestIdOf(request) === id && (promise !== "body" || request.method === method);

/** Whether what came is where something was sent that had to be refused, whatever has become of the rest of it. */
const isLike = ({ route, witness, bent }: Sent, { method, target }: ReceivedRequest): boolean =>
  method === route.method &&
  bent.some(({ exchange }) => isAtSamePath(witness.upstream, exchange.request.path, target));

/**
 * Something came under an id that nobody was told. It may be another visitor's: once more, while nobody else of the audit's asks for anything, first
 * without a request, then with all that have to be refused.
 */
async function lookAlone(context: AuditContext, tally: Tally, sent: Sent): Promise<void> {
  const { route, witness, bent } = sent;
  const countDuring = async (work: () => Promise<void>): Promise<number> => {
    const before = await witness.received();
    await work();
    await context.sleep(patienceFor(bent));
    return arrivedSince(before, await witness.received()).filter((one) => isLike(sent, one)).length;
  };
  await context.alone(async (caller) => {
    const value = await comesEachTime({
      idle: () => countDuring(() => Promise.resolve()),
      busy: () =>
        countDuring(async () => {
          for (const { call } of bent) await caller.call(call);
        }),
    });
    if (value === undefined)
      return tally.miss(`${route.key}: somebody else goes on asking ${route.to} for the same`);
    tally.expect(value === 0, {
      kind: "measurement",
      about: `${route.key}: what comes to ${route.to} under other ids while nothing is sent but what is refused`,
      value,
      unit: "requests",
    });
  });
}

function someOf(mutants: readonly PlacedMutant[]): PlacedMutant[] {
  const counts = new Map<string, number>();
  return mutants.filter(({ kind, promise }) => {
    const count = (counts.get(`${promise} ${kind}`) ?? 0) + 1;
    counts.set(`${promise} ${kind}`, count);
    return count <= (kind === "bounds" ? mostBounds : mostOfAKind);
  });
}
