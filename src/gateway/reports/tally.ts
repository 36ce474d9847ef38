import type { EventSink } from "../../contract/index.ts";
import type { DroppedReason, PolicyViolation } from "./violation.ts";

/** Counts reports; made by {@link createTally}. */
export interface Tally {
  add(violation: PolicyViolation, client: string, nowMs: number): void;
  drop(reason: DroppedReason, count: number, nowMs: number): void;
  /** Ends the window: writes how often each thing was repeated. */
  flush(nowMs: number): void;
}

/** Options of {@link createTally}. */
export interface TallyOptions {
  readonly events: EventSink;
  readonly windowMs: number;
}

/** Different violations told in one window, and how many of those one client may have told: the others' must find room. */
const maxKinds = 500;
const maxKindsPerClient = 50;

interface Kind {
  readonly violation: PolicyViolation;
  repeats: number;
}

/**
 * Turns reports into events: the first of a kind (page, directive, blocked origin) at once, its repeats as a number when the window
 * ends. However much is reported, a window writes a bounded number of events and keeps a bounded number of kinds.
 */
export function createTally({ events, windowMs }: TallyOptions): Tally {
  const kinds = new Map<string, Kind>();
  const kindsOf = new Map<string, number>();
  const dropped = new Map<DroppedReason, number>();
  let began = Number.NEGATIVE_INFINITY;

  const write = (violation: PolicyViolation, count: number, time: number): void =>
    events({ type: "browser.policy.violated", time, ...violation, count });

  function flush(nowMs: number): void {
    for (const { violation, repeats } of kinds.values()) if (repeats > 0) write(violation, repeats, nowMs);
    for (const [reason, count] of dropped)
      events({ type: "browser.reports.dropped", time: nowMs, reason, count });
    kinds.clear();
    kindsOf.clear();
    dropped.clear();
    began = nowMs;
  }

  const drop = (reason: DroppedReason, count: number): void =>
    void dropped.set(reason, (dropped.get(reason) ?? 0) + count);

  /** A clock that is set back ends the window too. */
  const turn = (nowMs: number): void => {
    if (nowMs - began >= windowMs || nowMs < began) flush(nowMs);
  };

  return {
    flush,
    drop(reason, count, nowMs) {
      turn(nowMs);
      drop(reason, count);
    },
    add(violation, client, nowMs) {
      turn(nowMs);
      const key = keyOf(violation);
      const known = kinds.get(key);
      if (known !== undefined) {
        known.repeats++;
        return;
      }
      const told = kindsOf.get(client) ?? 0;
      if (kinds.size >= maxKinds || told >= maxKindsPerClient) return drop("too-many", 1);
      kindsOf.set(client, told + 1);
      kinds.set(key, { violation, repeats: 0 });
      write(violation, 1, nowMs);
    },
  };
}

const keyOf = ({ page, directive, blocked }: PolicyViolation): string =>
  `${page} ${directive} ${blocked.startsWith("/") ? "self" : blocked}`;
