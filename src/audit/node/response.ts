import { CurtainwallError } from "../../shared/index.ts";
import { readEvents } from "../answers/event-stream.ts";
import type { Listening, ProbeRequest, ProbeResponse, Protocol } from "../probes/probe.ts";

/** A body as bytes. */
export const bytesOf = (body: ProbeRequest["body"]): Uint8Array | undefined =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;

/** What has come of an answer. */
export interface Collected {
  add: (chunk: Uint8Array) => void;
  bytes: () => Uint8Array;
  isFull: () => boolean;
  /** What has come is enough. */
  cut: () => void;
}

/** Keeps what comes up to a bound, then has the rest stopped. */
export function collect(maxBytes: number, stop: () => void): Collected {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isFull = false;
  const cut = (): void => {
    if (isFull) return;
    isFull = true;
    stop();
  };
  return {
    add(chunk) {
      if (isFull) return;
      chunks.push(chunk.subarray(0, maxBytes - length));
      length += chunk.length;
      if (length > maxBytes) cut();
    },
    bytes: () => Buffer.concat(chunks),
    isFull: () => isFull,
    cut,
  };
}

/** What listens to an answer that may never end. */
export interface Listener {
  /** Something has come. */
  heard: () => void;
  stop: () => void;
}

/** Cuts an answer once it was heard for long enough, or has had enough events. Called when its headers have come. */
export function listenTo(collected: Collected, listen: Listening | undefined): Listener {
  if (listen === undefined) return { heard: () => undefined, stop: () => undefined };
  const { maxMs, maxEvents, quietMs = maxMs } = listen;
  const timer = setTimeout(collected.cut, maxMs);
  let silence: NodeJS.Timeout | undefined;
  if (maxEvents === 0) collected.cut();
  return {
    heard() {
      const count = readEvents(new TextDecoder().decode(collected.bytes())).length;
      clearTimeout(silence);
      if (count >= maxEvents) collected.cut();
      else if (count > 0) silence = setTimeout(collected.cut, quietMs);
    },
    stop() {
      clearTimeout(timer);
      clearTimeout(silence);
    },
  };
}

/** The most that is read of an answer that may never end, in bytes. */
const maxHeardBytes = 65_536;

/** The most that is read of an answer, in bytes. */
export const maxBytesOf = (
  { maxBytes, listen }: ProbeRequest,
  endpoint: { readonly maxBytes: number },
): number => Math.min(maxBytes ?? endpoint.maxBytes, listen === undefined ? Infinity : maxHeardBytes);

/** What is known of an answer once it is complete. */
export interface AnswerParts {
  protocol: Protocol;
  status: number;
  headers: readonly (readonly [string, string])[];
  collected: Pick<Collected, "bytes" | "isFull">;
  startedAt: number;
}

/** Puts an answer together. */
export function toResponse({ protocol, status, headers, collected, startedAt }: AnswerParts): ProbeResponse {
  const body = collected.bytes();
  return {
    protocol,
    status,
    headers,
    body,
    truncated: collected.isFull(),
    durationMs: performance.now() - startedAt,
    header(name) {
      const values = headers.filter(([candidate]) => candidate === name).map(([, value]) => value);
      return values.length === 0 ? undefined : values.join(", ");
    },
    text: () => new TextDecoder().decode(body),
  };
}

/** Names and values that came as one flat list. */
export function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    found.push([String(raw[index]).toLowerCase(), String(raw[index + 1])]);
  return found;
}

/** The error of a target that does not answer. */
export const unreachable = (message: string, cause?: unknown): CurtainwallError =>
  new CurtainwallError("AUDIT_TARGET_UNREACHABLE", message, cause === undefined ? {} : { cause });

/** The error of an answer that is none. */
export const invalid = (message: string, cause?: unknown): CurtainwallError =>
  new CurtainwallError("AUDIT_ANSWER_INVALID", message, cause === undefined ? {} : { cause });

const endings: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_SESSION_ERROR",
]);

/**
 * Whether a connection ended before there was an answer. One that was kept may have been ended by a target that had waited for long enough, just when it
 * was used again: the request is made once more, over another.
 */
export const isEnding = (error: unknown): boolean =>
  error instanceof CurtainwallError && endings.has((error.cause as { code?: string } | undefined)?.code);

/** What a connection's error means. */
export function failure(error: Error & { code?: string }): CurtainwallError {
  if (error.code?.startsWith("HPE_") === true)
    return invalid(`the answer is not HTTP (${error.code})`, error);
  return unreachable(`no answer: ${error.code ?? error.message}`, error);
}
