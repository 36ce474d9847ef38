import { Pool } from "undici";

/** Options of {@link createWatchdog}. */
export interface WatchdogOptions {
  readonly socket: string;
  /** How often it is asked. */
  readonly pingMs: number;
  /** How long it may stay silent. */
  readonly silentMs: number;
  /** Called each time it has answered. */
  readonly onAlive: () => void;
  /** Called once, when it was silent for so long. */
  readonly onSilent: () => void;
}

/** Asks a group again and again whether its event loop turns. */
export interface Watchdog {
  /** Something was heard of it: no need to ask at once. */
  heard(): void;
  stop(): void;
}

/**
 * Watches a group while calls are under way. One connection, one question at a time: what is counted are ticks of this process too, so that a machine
 * which let neither run for a second does not have the group ended for it.
 */
export function createWatchdog({ socket, pingMs, silentMs, onAlive, onSilent }: WatchdogOptions): Watchdog {
  const client = openPingClient(socket);
  const ticksAllowed = Math.ceil(silentMs / pingMs);
  let askedAtMs: number | undefined;
  let ticks = 0;
  let wasHeard = false;
  let ended = false;

  function ask(): void {
    askedAtMs = performance.now();
    ticks = 0;
    // A connection that breaks is no answer; that the process ended is told by who started it.
    void ping(client).then((answered) => {
      if (!answered || ended) return;
      askedAtMs = undefined;
      onAlive();
    });
  }

  const timer = setInterval(() => {
    const skip = wasHeard;
    wasHeard = false;
    if (askedAtMs === undefined) {
      if (!skip) ask();
    } else if (++ticks >= ticksAllowed && performance.now() - askedAtMs >= silentMs) {
      stop();
      onSilent();
    }
  }, pingMs);

  function stop(): void {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    void client.destroy();
  }

  return { heard: () => void (wasHeard = true), stop };
}

/** Asks once, over a connection of its own; resolves when it is answered, and with false when it can't be. */
export async function pingOnce(socket: string): Promise<boolean> {
  const client = openPingClient(socket);
  try {
    return await ping(client);
  } finally {
    void client.destroy();
  }
}

/** One connection. A pool, since the bundle of this domain has no other client of undici's. */
const openPingClient = (socket: string): Pool =>
  new Pool("http://group", { socketPath: socket, connections: 1, headersTimeout: 0, bodyTimeout: 0 });

/** Any other answer is none, and is not read: it may have no end. */
function ping(client: Pool): Promise<boolean> {
  return new Promise((resolve) => {
    client.dispatch(
      { method: "GET", path: "/ping" },
      {
        onRequestStart: () => undefined,
        onResponseStart(controller, status) {
          if (status >= 200 && status !== 204) controller.abort(new Error("not an answer to a ping"));
        },
        onResponseData: () => undefined,
        onResponseEnd: () => resolve(true),
        onResponseError: () => resolve(false),
      },
    );
  });
}
