import { Socket } from "node:net";
import { maxEventText } from "../../contract/events.ts";
import type { EventSink, SecurityEvent } from "../../contract/events.ts";
import { maxLineBytes } from "../lines.ts";

/** Options of {@link createEventQueue}. */
export interface EventQueueOptions {
  /** Descriptor of the pipe to the ledger. */
  fd: number;
  /** The domain, for the note about lost events. */
  source: string;
  /** Bytes that wait when the ledger can't keep up; more are counted and dropped. Default 4 194 304. */
  maxPendingBytes?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/** Sends events to the ledger without ever waiting for it. */
export interface EventQueue {
  readonly send: EventSink;
  /** Bytes that wait for the ledger. */
  pendingBytes(): number;
  /** Resolves when what was sent lies in the pipe, or after the time. */
  flush(timeoutMs: number): Promise<void>;
  /** Gives up the descriptor. */
  close(): void;
}

/**
 * Sends events down a pipe. The pipe outlives both ends (the supervisor keeps it), so a ledger that is started again finds
 * what was sent meanwhile. When it stays away too long, events are dropped and the loss itself becomes an event, as soon as
 * the pipe takes one.
 */
export function createEventQueue({
  fd,
  source,
  maxPendingBytes = 4_194_304,
  now = Date.now,
}: EventQueueOptions): EventQueue {
  const pipe = new Socket({ fd, readable: false, writable: true });
  let lost = 0;
  let broken = false;
  // Nothing can be done about a broken pipe here: the supervisor sees the ledger end and starts it again.
  pipe.on("error", () => (broken = true));
  // Whoever wrote into this pipe before may have been killed in the middle of a line.
  pipe.write("\n");

  function reportLost(): void {
    if (lost === 0 || broken) return;
    pipe.write(lineOf({ type: "ledger.events.lost", time: now(), source, count: lost }));
    lost = 0;
  }

  return {
    send(event) {
      if (broken || pipe.writableLength >= maxPendingBytes) {
        // The first loss leaves a mark in the queue: when the pipe comes to it, there is room again to tell.
        if (lost++ === 0) pipe.write("", () => reportLost());
        return;
      }
      reportLost();
      pipe.write(lineOf(event));
    },
    pendingBytes: () => pipe.writableLength,
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

/** Lengths that texts are cut to, one after the other, until the line is short enough for the ledger. */
const textLengths = [maxEventText, 100, 30, 10];

function lineOf(event: SecurityEvent): string {
  let line = `${JSON.stringify(event)}\n`;
  for (const length of textLengths) {
    if (line.length * 3 <= maxLineBytes || Buffer.byteLength(line) <= maxLineBytes) break;
    line = `${JSON.stringify(event, (_, value: unknown) => cut(value, length))}\n`;
  }
  return line;
}

const maxTexts = 20;

function cut(value: unknown, length: number): unknown {
  if (Array.isArray(value)) return value.slice(0, maxTexts);
  return typeof value === "string" && value.length > length ? `${value.slice(0, length)}…` : value;
}
