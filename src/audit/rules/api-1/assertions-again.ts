import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { ProbeRequest } from "../../probes/probe.ts";
import { receivedBytes } from "../../probes/upstream-witness.ts";
import type { ReceivedRequest } from "../../probes/upstream-witness.ts";
import { claimsOf } from "./assertion-claims.ts";
import { callAndFollow, targetAt } from "../arrivals.ts";
import type { Arrival, WitnessedUpstream } from "../arrivals.ts";
import { isRefusal, isSuccess } from "../shared.ts";

/** A request that came to an upstream, with who tells of it. */
export interface Overheard {
  readonly route: ContractRoute;
  readonly witness: WitnessedUpstream;
  readonly arrival: Arrival;
}

/**
 * Sends an upstream the gateway's word again, as who overheard it would: with another request each time. Where one is taken, a write is made a second
 * time.
 *
 * @returns false: the word ended meanwhile, and nothing is known; what is over is refused with anything
 */
export async function sendAgain(context: AuditContext, tally: Tally, overheard: Overheard): Promise<boolean> {
  const { route, witness, arrival } = overheard;
  const { received } = arrival;
  const wire = await context.upstreamWire(witness.upstream);
  const same = requestOf(received);
  const ask = async (request: ProbeRequest): Promise<number> => (await wire.send(request)).status;
  const obstacle = await whyRefusalsShowNothing(context, overheard, ask);
  if (obstacle === over) return false;
  if (obstacle !== undefined) {
    tally.miss(obstacle);
    return true;
  }
  const unclear: string[] = [];
  const shown: { what: string; status: number }[] = [];
  for (const [what, changes] of others(received, await elsewhere(context, route, witness))) {
    const request = { ...same, ...changes };
    const status = await ask(request);
    if (isRefusal(status) && isOver(context, received)) return false;
    if (isRefusal(status) || isTaken(request, status)) shown.push({ what, status });
    else unclear.push(`${what}: ${status}`);
  }
  for (const { what, status } of shown)
    tally.expect(isRefusal(status), {
      kind: "measurement",
      about: `${route.to} is sent what the gateway said with ${route.key}, ${what}`,
      value: `answered ${status}`,
    });
  if (shown.length === 0)
    tally.miss(
      `${route.key}: ${route.to} neither refuses the gateway's word with another request nor takes it (${unclear.join(", ")})`,
    );
  return true;
}

/** Whether what the gateway said of a request has ended. */
function isOver({ now }: AuditContext, received: ReceivedRequest): boolean {
  const exp = claimsOf(received)?.["exp"];
  return typeof exp === "number" && exp * 1000 <= now();
}

/** Why refusals show nothing yet: what was sent again had ended. */
const over = Symbol("over");

/**
 * Only what is answered as the gateway's own request was, was taken. Who looks for a route or reads a body before asking who calls answers 404, 405, 400 or
 * 415, and many a server answers OPTIONS itself: nothing was done then, and nothing is known.
 */
const isTaken = ({ method }: ProbeRequest, status: number): boolean =>
  isSuccess(status) && method !== "OPTIONS";

/**
 * While an upstream refuses even the gateway's own request when it comes once more, refusals show nothing of what its word is bound to. A write is not made a
 * second time to find that out, unless it is declared that twice is as good as once: something is read there instead.
 */
async function whyRefusalsShowNothing(
  context: AuditContext,
  { route, witness, arrival }: Overheard,
  ask: (request: ProbeRequest) => Promise<number>,
): Promise<string | typeof over | undefined> {
  const { key, to, method, idempotent } = route;
  const isRepeatable = method === "GET" || idempotent === true;
  const own = isRepeatable ? arrival.received : await readElsewhere(context, route, witness);
  if (own === undefined)
    return `${key}: what writes is not sent twice, and nothing is read at ${to}: nobody knows whether it takes anything that comes once more, so refusals show nothing`;
  if (!isRefusal(await ask(requestOf(own)))) return undefined;
  return isOver(context, own)
    ? over
    : `${key}: ${to} refuses the gateway's own request (${own.method} ${own.target}) when it comes once more, so other refusals show nothing`;
}

/** Something that the gateway reads at the same upstream. */
async function readElsewhere(
  context: AuditContext,
  { to }: ContractRoute,
  witness: WitnessedUpstream,
): Promise<ReceivedRequest | undefined> {
  for (const other of context.declaredRoutes) {
    if (other.method !== "GET" || other.to !== to || other.stream !== undefined) continue;
    const [honest] = honestCalls(context, other);
    if (honest === undefined) continue;
    const { exchange, arrived } = await callAndFollow(context, other, witness, honest);
    if (arrived !== undefined && isSuccess(exchange.response.status)) return arrived;
  }
  return undefined;
}

function* others(
  received: ReceivedRequest,
  other: string | undefined,
): Generator<readonly [what: string, changes: Partial<ProbeRequest>]> {
  const { method, target } = received;
  const bytes = receivedBytes(received);
  yield ["with a longer query", { path: `${target}${target.includes("?") ? "&" : "?"}curtainwall=1` }];
  if (other !== undefined && other !== target) yield ["with another path", { path: other }];
  // No method that could do anything at an address that has not this one.
  yield ["with another method", { method: method === "GET" ? "OPTIONS" : "GET" }];
  if (bytes.length === 0) {
    yield ["with a body beside it", { body: "{}" }];
    return;
  }
  // Means the same, and is not what was signed for.
  yield ["with another body", { body: Uint8Array.of(...bytes, 0x20) }];
  yield ["without its body", { body: new Uint8Array() }];
}

/** Another address of the same upstream, that reading changes nothing of. */
async function elsewhere(
  context: AuditContext,
  route: ContractRoute,
  { upstream }: WitnessedUpstream,
): Promise<string | undefined> {
  if (route.method !== "GET") return undefined;
  for (const other of context.declaredRoutes) {
    if (other.key === route.key || other.method !== "GET" || other.to !== route.to) continue;
    if (other.stream !== undefined) continue;
    const [honest] = honestCalls(context, other);
    if (honest === undefined) continue;
    const { path } = await context.caller.request({ route: other, ...honest });
    return targetAt(upstream, path);
  }
  return undefined;
}

const kept = new Set(["accept", "content-type", "idempotency-key", "request-id", "curtainwall-assertion"]);

/** The same request once more, without what belongs to its connection. */
function requestOf(received: ReceivedRequest): ProbeRequest {
  const bytes = receivedBytes(received);
  return {
    method: received.method,
    path: received.target,
    headers: Object.entries(received.headers).flatMap(([name, value]): [string, string][] =>
      kept.has(name) && typeof value === "string" ? [[name, value]] : [],
    ),
    ...(bytes.length === 0 ? {} : { body: bytes }),
  };
}
