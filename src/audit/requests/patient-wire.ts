import type { ProbeResponse, Wire } from "../probes/probe.ts";

/** Options of {@link patientWire}. */
export interface PatienceOptions {
  sleep: (milliseconds: number) => Promise<void>;
  /** Milliseconds left for the whole audit. */
  remainingMs: () => number;
}

const maxTries = 3;

/**
 * Makes a wire for checks that count what they send, and so go through no caller. A machine that has too much to do, maybe by the audit itself, turns requests
 * away before it counts them: they are sent again a moment later. What says so for ever is the answer.
 */
export function patientWire(wire: Wire, { sleep, remainingMs }: PatienceOptions): Wire {
  return {
    ...wire,
    async send(request) {
      for (let tries = 1; ; tries++) {
        const response = await wire.send(request);
        const waitMs = retryAfterMs(response);
        if (!isOverloaded(response) || tries === maxTries || waitMs + 2000 > remainingMs()) return response;
        await sleep(waitMs);
      }
    },
  };
}

const isOverloaded = (response: ProbeResponse): boolean =>
  response.status === 503 && response.text().includes('"code":"GATEWAY_OVERLOADED"');

/** How long an answer asks to be waited, and a little more. */
export function retryAfterMs(response: ProbeResponse): number {
  const seconds = Number(response.header("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 + 100 : 1000;
}
