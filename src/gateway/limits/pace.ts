import type { Pace } from "../../contract/index.ts";
import { createFairQueue } from "../../shared/index.ts";
import type { Charge, CountedLimit, Counting } from "./counting.ts";

/** Runs something later. Returns what calls it off. */
export type Schedule = (delayMs: number, run: () => void) => () => void;

/** What a pace needs of its surroundings. */
export interface PacerOptions {
  readonly pace: Pick<Pace, "queue" | "waitMs">;
  readonly limit: CountedLimit;
  readonly counting: Counting;
  readonly schedule: Schedule;
}

/** A request that may have to wait. */
export interface Paced {
  /** Whose pace it is. */
  readonly key: string;
  /** Who takes turns with others of that key. */
  readonly client: string;
  /** Goes on. May throw. */
  pass(): void;
  /** Has waited in vain, or found no place. @param retryAfterSeconds until it may be worth another try */
  refuse(retryAfterSeconds: number): void;
  /** Calls `listener` when nobody waits for the answer any more. */
  onAbort?(listener: () => void): void;
}

/** Holds requests to a pace; made by {@link createPacer}. */
export interface Pacer {
  offer(paced: Paced): void;
  /** Refuses all that wait, and whatever comes. */
  close(): void;
}

/**
 * Lets requests through at a pace. Those that come faster wait: in lines, one for each key, where clients take turns, so that who sends a
 * thousand requests delays its own. A line asks the counter that all threads share, so together they never exceed the pace; which thread's
 * line comes first, chance decides.
 */
export function createPacer({ pace, limit, counting, schedule }: PacerOptions): Pacer {
  const queue = createFairQueue(pace.queue);
  /** Lines that wait for an answer of the counter, or for their time. */
  const asleep = new Map<string, () => void>();
  let isClosed = false;
  const { intervalMs } = limit.rate;

  const secondsFor = (requests: number): number => Math.max(1, Math.ceil((requests * intervalMs) / 1000));

  function offer(paced: Paced): void {
    if (isClosed) return paced.refuse(1);
    // Nobody passes those who wait.
    if (queue.has(paced.key) || asleep.has(paced.key)) return void wait(paced);
    let isOver = false;
    ask(paced.key, (left) => {
      isOver = true;
      if (left >= 0) return paced.pass();
      // Before its turn comes it would have given up.
      if (-left > pace.waitMs) return paced.refuse(Math.ceil(-left / 1000));
      if (wait(paced)) sleep(paced.key, -left);
    });
    // The counter is elsewhere: who comes meanwhile waits behind this one.
    if (!isOver) asleep.set(paced.key, nothing);
  }

  function ask(key: string, done: (left: number) => void): void {
    const charges: Charge[] = [{ limit, key, cost: 1 }];
    counting.charge(charges, ([left = 0]) => {
      asleep.delete(key);
      done(left);
    });
  }

  function wait(paced: Paced): boolean {
    const refuse = (): void => {
      callOff();
      paced.refuse(secondsFor(queue.size));
    };
    const leave = queue.add(paced.key, paced.client, {
      pass() {
        callOff();
        paced.pass();
      },
      leave: refuse,
    });
    const callOff = leave === undefined ? nothing : schedule(pace.waitMs, () => void (leave() && refuse()));
    if (leave === undefined) refuse();
    else paced.onAbort?.(() => void (leave() && refuse()));
    return leave !== undefined;
  }

  function sleep(key: string, delayMs: number): void {
    asleep.set(
      key,
      schedule(delayMs, () => {
        asleep.delete(key);
        drain(key);
      }),
    );
  }

  /** Lets pass as many as may. Not by recursion: there may be thousands. */
  function drain(key: string): void {
    while (queue.has(key) && !asleep.has(key)) {
      let isOver = false;
      let isLater = false;
      ask(key, (left) => {
        isOver = true;
        if (left < 0) sleep(key, -left);
        else queue.next(key)?.pass();
        if (isLater && left >= 0) drain(key);
      });
      if (isOver) continue;
      isLater = true;
      asleep.set(key, nothing);
    }
  }

  return {
    offer,
    close() {
      isClosed = true;
      for (const callOff of asleep.values()) callOff();
      asleep.clear();
      for (const waiting of queue.clear()) waiting.leave();
    },
  };
}

const nothing = (): void => undefined;
