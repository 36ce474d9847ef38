import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { ProbeRequest } from "../../probes/probe.ts";
import { judgeSpending } from "../limits.ts";
import type { Allowance } from "../limits.ts";
import { counted } from "../../../shared/index.ts";

/** Requests under way at once: as many connections, so that they reach every thread of a server that shares them out. */
const connections = 24;

/** What became of many requests. */
export interface Flood {
  admitted: number;
  refused: number;
  /** Neither: broken for another reason than a limit. */
  failed: number;
  seconds: number;
  /** How many were admitted, by where they were sent. */
  admittedAt: ReadonlyMap<string, number>;
}

/** What a flood takes of an audit. */
export type Floods = Pick<AuditContext, "now" | "sleep"> & {
  readonly wire: Pick<AuditContext["wire"], "send">;
};

/** Sends so many requests, many at once. The work is shared out as it is done, so that nobody waits for the slowest. */
export async function flood(
  context: Floods,
  count: number,
  make: (index: number) => ProbeRequest,
): Promise<Flood> {
  const startedAt = context.now();
  const admittedAt = new Map<string, number>();
  let [next, admitted, refused, failed] = [0, 0, 0, 0];
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const request = make(index);
      const { status } = await context.wire.send(request);
      if (status === 429) refused++;
      else if (status >= 500) failed++;
      else {
        admitted++;
        const at = request.at ?? "";
        admittedAt.set(at, (admittedAt.get(at) ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(connections, count) }, work));
  return { admitted, refused, failed, admittedAt, seconds: (context.now() - startedAt) / 1000 };
}

/** What was used up before is waited for so long at most. */
const mostRefillMs = 60_000;

/**
 * Floods an allowance that is full. A server that takes everybody for one client may have been asked too much by what came before: then not even the
 * first request is admitted, and once the limit has come back it is tried once more.
 */
export async function floodFull(
  context: Floods,
  { limit: { burst, count, windowSeconds } }: Pick<Allowance, "limit">,
  ...requests: [count: number, make: (index: number) => ProbeRequest]
): Promise<Flood> {
  const first = await flood(context, ...requests);
  const refillMs = ((burst * windowSeconds) / count) * 1000;
  if (first.admitted + first.failed > 0 || refillMs > mostRefillMs) return first;
  await context.sleep(refillMs);
  return flood(context, ...requests);
}

/** How many requests show that a limit ends what it admits. */
export const enoughFor = ({ limit }: Pick<Allowance, "limit">): number => limit.burst * 2 + 2 * connections;

/** Judges what a flood got through. */
export function judgeFlood(
  tally: Tally,
  { route, limit }: Allowance,
  { admitted, refused, failed, seconds }: Flood,
  about: string,
): void {
  judgeSpending(tally, {
    about: `${route.key} (${limit.text})${about}, ${counted(admitted + refused + failed, "request")}`,
    limit,
    admitted,
    failed,
    isRefused: refused > 0,
    seconds,
  });
}

/** What these checks attack. */
export const onLimits: NonNullable<Check["attack"]> = { kind: "limits", promise: "limit", per: "site" };
