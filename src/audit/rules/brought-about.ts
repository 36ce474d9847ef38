import type { ContractRoute, ContractUpstream, ContractUse } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import type { Caller } from "../requests/caller.ts";
import { honestCalls } from "../requests/inputs.ts";
import { arrivedSince } from "../probes/upstream-witness.ts";
import type { ReceivedRequest, UpstreamWitness } from "../probes/upstream-witness.ts";
import { isAtSamePath } from "./arrivals.ts";
import { grantsOf } from "./sec-5/questions.ts";
import { isSuccess } from "./shared.ts";

/** Where requests of a route are seen at work. */
export interface Effects {
  /** The upstreams that tell, for findings. */
  readonly at: string;
  /** What came there lately, and may be a route's doing. */
  came(): Promise<readonly ReceivedRequest[]>;
  /** Makes an honest request, and waits until it is seen there. Says whether it was. */
  askHonestly(caller: Caller): Promise<boolean>;
}

/** How long an honest request's effect is waited for: it may stand in a queue. */
const patienceMs = 500;
const tries = 10;

/** By audit, and by route. */
const known = new WeakMap<AuditContext["tokens"], Map<string, Promise<Effects | undefined>>>();

/**
 * Says where a route's requests are seen at work: at its upstream, or at upstreams that its function asks. An honest one is made once an audit, and has to be
 * seen there: undefined where nobody tells, or not even of that.
 */
export function effectsOf(context: AuditContext, route: ContractRoute): Promise<Effects | undefined> {
  const routes = known.get(context.tokens) ?? new Map<string, Promise<Effects | undefined>>();
  known.set(context.tokens, routes);
  const effects = routes.get(route.key) ?? effectsOfHonest(context, route);
  routes.set(route.key, effects);
  return effects;
}

async function effectsOfHonest(context: AuditContext, route: ContractRoute): Promise<Effects | undefined> {
  const witnesses = witnessesOf(context, route);
  if (witnesses.length === 0) return undefined;
  const came = async (): Promise<ReceivedRequest[]> => {
    const all = await Promise.all(
      witnesses.map(async ({ received, isIts }) => (await received()).filter(isIts)),
    );
    return all.flat();
  };
  const askHonestly = async (caller: Caller): Promise<boolean> => {
    // Another each time: what was taken once need not be taken again.
    const [honest] = honestCalls(context, route);
    if (honest === undefined) return false;
    const before = await came();
    const { response } = await caller.call({ route, ...honest });
    if (!isSuccess(response.status)) return false;
    for (let count = 0; count < tries; count++) {
      if (arrivedSince(before, await came()).length > 0) {
        // What comes late is done late.
        if (count > 0) await context.sleep(patienceMs);
        return true;
      }
      await context.sleep(patienceMs);
    }
    return false;
  };
  return (await askHonestly(context.caller))
    ? { at: witnesses.map(({ name }) => name).join(", "), came, askHonestly }
    : undefined;
}

/**
 * Whether more came since an earlier account than an honest request brings about that is made now. What was done before it has come by then, however long that
 * takes on a busy machine: silence alone shows that nothing was done yet. Undefined: not even the honest one is seen to come.
 */
export async function moreCame(
  { came, askHonestly }: Effects,
  caller: Caller,
  before: readonly ReceivedRequest[],
): Promise<boolean | undefined> {
  if (arrivedSince(before, await came()).length > 0) return true;
  if (!(await askHonestly(caller))) return undefined;
  return arrivedSince(before, await came()).length > 1;
}

/** Says how much came while something was done, from one look to the next: nothing falls between two of them. */
export async function countArrivals({
  came,
}: Effects): Promise<(work: () => Promise<unknown>) => Promise<number>> {
  let known = await came();
  return async (work) => {
    await work();
    const before = known;
    known = await came();
    return arrivedSince(before, known).length;
  };
}

/** Why what came to an upstream says nothing. */
export const honestUnseen = ({ key }: ContractRoute, { at }: Effects): string =>
  `${key}: of an honest request nothing was seen to come to ${at} either`;

/** An upstream that tells, and which requests there may be a route's doing. */
interface RouteWitness extends UpstreamWitness {
  readonly name: string;
  readonly isIts: (request: ReceivedRequest) => boolean;
}

function witnessesOf({ contract, plan }: AuditContext, route: ContractRoute): RouteWitness[] {
  return [...contract.upstreams].flatMap(([name, upstream]) => {
    const witness = plan.upstreams?.[name];
    if (witness === undefined) return [];
    if (name === route.to)
      return [{ ...witness, name, isIts: (request) => isFrom(route, upstream, request) }];
    const grants = grantsOf(contract, route.to).filter(({ origin }) => origin === upstream.url.origin);
    if (grants.length === 0) return [];
    return [{ ...witness, name, isIts: (request) => grants.some((grant) => isGranted(grant, request)) }];
  });
}

const isFrom = (
  route: ContractRoute,
  upstream: ContractUpstream,
  { method, target }: ReceivedRequest,
): boolean => method === route.method && isAtSamePath(upstream, route.path, target);

/** Whether a request may be one that a function makes. */
function isGranted({ method, path }: ContractUse, request: ReceivedRequest): boolean {
  const [asked = ""] = request.target.split("?");
  const segments = asked.split("/").slice(1);
  const isOpen = path.at(-1) === "**";
  const fixed = isOpen ? path.slice(0, -1) : path;
  return (
    method === request.method &&
    (isOpen ? segments.length >= fixed.length : segments.length === fixed.length) &&
    fixed.every((segment, index) => segment === "*" || segment === segments[index])
  );
}
