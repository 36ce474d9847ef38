import { Socket } from "node:net";
import type { EventSink, SecurityEvent } from "../../contract/index.ts";
import { maxLineBytes } from "../lines.ts";

/** Options of {@link createEventQueue}. */
export interface EventQueueOptions {
  /** Descriptor of the pipe to the ledger. */
  fd: number;
  /** The domain, for the note about lost events. */
  source: string;
  /** Bytes that wait when the ledger can't keep up; more are counted and dropped. Default 4 194 304. */
  maxPendingBytes?: number;
}

/** Sends events to the ledger without ever waiting for it. */
export interface EventQueue {
  readonly send: EventSink;
  /** Resolves when what was sent lies in the pipe, or after the time. */
  flush(timeoutMs: number): Promise<void>;
  /** Gives up the descriptor. */
  close(): void;
}

/**
 * Sends events down a pipe. The pipe outlives both ends (the supervisor keeps it), so a ledger that is started again finds
 * what was sent meanwhile. When it stays away too long, events are dropped and the loss itself becomes an event.
 */
export function createEventQueue({ fd, source, maxPendingBytes = 4_194_304 }: EventQueueOptions): EventQueue {
  const pipe = new Socket({ fd, readable: false, writable: true });
  let lost = 0;
  let broken = false;
  // Nothing can be done about a broken pipe here: the supervisor sees the ledger end and starts it again.
  pipe.on("error", () => (broken = true));

  const write = (event: SecurityEvent): void => {
    let line = `${JSON.stringify(event)}\n`;
    if (Buffer.byteLength(line) > maxLineBytes) line = `${JSON.stringify(shortened(event))}\n`;
    pipe.write(line);
  };

  return {
    send(event) {
      if (broken || pipe.writableLength > maxPendingBytes) {
        lost++;
        return;
      }
      if (lost > 0) {
        write({ type: "ledger.events.lost", time: Date.now(), source, count: lost });
        lost = 0;
      }
      write(event);
    },
    async flush(timeoutMs) {
      if (pipe.writableLength === 0 || broken) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        pipe.write("", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    close: () => void pipe.destroy(),
  };
}

/** Lists are the only fields without a bound that a sender keeps. */
function shortened(event: SecurityEvent): SecurityEvent {
  const fields = Object.entries(event).filter(([, value]) => !Array.isArray(value));
  return Object.fromEntries(
    fields.map(([name, value]) => [name, typeof value === "string" ? value.slice(0, 200) : value]),
  ) as unknown as SecurityEvent;
}
