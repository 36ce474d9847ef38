import { createHash } from "node:crypto";
import type { ContractLimitStore, EventSink } from "../../../contract/index.ts";
import type { Counting } from "../../limits/counting.ts";
import type { Gates } from "../../limits/gates.ts";
import { createSharedCounting } from "../../limits/shared-counting.ts";
import { openRedisSocket } from "./open-redis-socket.ts";
import { createRedisLink } from "./redis-link.ts";
import type { RedisConnection } from "./redis-link.ts";

/** Options of {@link createRedisCounting}. */
export interface RedisCountingOptions {
  readonly store: ContractLimitStore;
  /** The site's origin: sites that share a store don't share counters. */
  readonly origin: string;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  readonly ca?: string | undefined;
  readonly events: EventSink;
  /** Of this thread: of all threads that lose the store one says so. */
  readonly gates: Pick<Gates, "noteLost">;
  /** Gives a connection that takes commands. Default: one is opened, to a store that asks for no password. */
  readonly open?: (() => Promise<RedisConnection>) | undefined;
  readonly now?: () => number;
}

/** Counts in a Redis or Valkey; made by {@link createRedisCounting}. */
export interface RedisCounting extends Counting {
  close(): void;
}

/**
 * Counts limits together with all hosts of a site. While the store can't be asked each host admits its share of a limit, and an event tells when
 * that begins and when it is over.
 */
export function createRedisCounting({
  store,
  origin,
  ca,
  events,
  gates,
  open = async () => ({ socket: await openRedisSocket(store.url, ca) }),
  now = Date.now,
}: RedisCountingOptions): RedisCounting {
  const { host } = store.url;
  let lostAt = 0;
  const link = createRedisLink({
    open,
    seed: seedOf(origin),
    timeoutMs: store.timeoutMs,
    onLost(reason) {
      lostAt = now();
      if (gates.noteLost(true))
        events({ type: "gateway.limits.degraded", time: lostAt, store: host, reason });
    },
    onBack() {
      const time = now();
      if (gates.noteLost(false))
        events({ type: "gateway.limits.restored", time, store: host, afterMs: time - lostAt });
    },
  });
  const counting = createSharedCounting({
    link,
    instances: store.instances,
    now,
  });
  return { ...counting, close: () => link.close() };
}

/** All hosts of a site know it. So does everybody else: with a password, egress derives another from that. */
function seedOf(origin: string): [number, number] {
  const digest = createHash("sha256").update(`curtainwall limits\n${origin}\n`).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
