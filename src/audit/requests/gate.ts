import type { TlsProbe, Wire } from "../probes/probe.ts";

/** Lets requests through, and for a while nobody's but one. */
export interface Gate {
  /** The same wire, behind the gate. */
  wire(wire: Wire): Wire;
  /** The same handshakes, behind the gate. */
  tls(probe: TlsProbe): TlsProbe;
  /** Lets what is under way end, and nothing begin until the work is over. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Makes a {@link Gate}. Checks that mostly wait run beside the others: one that changes for a moment what all of them would meet has to be alone. A
 * client that trickles is let through all the same, since it may take as long as it likes.
 */
export function createGate(): Gate {
  const underWay = new Set<Promise<unknown>>();
  /** Ends once those who wanted to be alone before have been. */
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function pass<T>(work: () => Promise<T>): Promise<T> {
    while (waiting > 0) await last;
    const running = work();
    // What becomes of it is for who asked.
    const settled: Promise<unknown> = running.catch(() => undefined).then(() => underWay.delete(settled));
    underWay.add(settled);
    return running;
  }

  async function take<T>(before: Promise<unknown>, work: () => Promise<T>): Promise<T> {
    try {
      await before;
      await Promise.all(underWay);
      return await work();
    } finally {
      waiting--;
    }
  }

  return {
    wire: ({ abandon, canChangeClient, connect, send, sendRaw, trickle }) => ({
      abandon: (request) => pass(() => abandon(request)),
      canChangeClient,
      connect,
      send: (request) => pass(() => send(request)),
      sendRaw: (bytes) => pass(() => sendRaw(bytes)),
      trickle,
    }),
    tls: ({ offer, connect, plain }) => ({
      offer: (...input) => pass(() => offer(...input)),
      connect: (...input) => pass(() => connect(...input)),
      plain: (...input) => pass(() => plain(...input)),
    }),
    alone(work) {
      waiting++;
      const mine = take(last, work);
      last = mine.catch(() => undefined);
      // Whoever waited goes on before the same one is alone again: what an upstream is told of a request is good for half a minute.
      return mine.finally(turn);
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve));
