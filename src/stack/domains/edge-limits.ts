import type { Contract, EventSink } from "../../contract/index.ts";
import { createLoadMeter, openGates } from "../../gateway/index.ts";
import type { GatewayOptions } from "../../gateway/index.ts";
import { createRedisCounting, threadWorkMs } from "../../gateway/node.ts";
import { openRedisThroughEgress } from "../egress/open-redis.ts";
import type { ThreadConfiguration } from "./thread-messages.ts";

/** What a thread's gateway counts with, besides the counters of clients. */
export function createEdgeLimits(
  {
    gates: memory,
    thread,
    limitStore,
    domainSockets,
  }: Pick<ThreadConfiguration, "gates" | "thread" | "limitStore" | "domainSockets">,
  { limitStore: store, origin }: Contract,
  events: EventSink,
): Required<Pick<GatewayOptions, "gates" | "load" | "sharedLimits">> {
  const gates = openGates(memory, thread);
  const relay = store?.secret === undefined ? undefined : domainSockets.limits;
  return {
    gates,
    load: createLoadMeter({ events, workMs: threadWorkMs }),
    sharedLimits:
      store &&
      createRedisCounting({
        store,
        origin,
        ca: limitStore?.authority,
        open: relay === undefined ? undefined : () => openRedisThroughEgress(relay),
        events,
        gates,
      }),
  };
}
