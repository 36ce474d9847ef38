import type { Contract, EventSink } from "../../contract/index.ts";
import { createLoadMeter, openGates } from "../../gateway/index.ts";
import type { GatewayOptions } from "../../gateway/index.ts";
import { createRedisCounting, threadWorkMs } from "../../gateway/node.ts";
import { Secret } from "../../shared/index.ts";
import type { ThreadConfiguration } from "./thread-messages.ts";

/** What a thread's gateway counts with, besides the counters of clients. */
export function createEdgeLimits(
  { gates: memory, thread, limitStore }: Pick<ThreadConfiguration, "gates" | "thread" | "limitStore">,
  { limitStore: store, origin }: Contract,
  events: EventSink,
): Required<Pick<GatewayOptions, "gates" | "load" | "sharedLimits">> {
  const gates = openGates(memory, thread);
  const password = limitStore?.password;
  return {
    gates,
    load: createLoadMeter({ events, workMs: threadWorkMs }),
    sharedLimits:
      store &&
      createRedisCounting({
        store,
        origin,
        password: password === undefined ? undefined : new Secret(password),
        ca: limitStore?.authority,
        events,
        gates,
      }),
  };
}
