import type { ContractStream } from "../../contract/index.ts";
import { hasCanary } from "../answers/canaries.ts";
import { writeKept } from "../answers/json-text.ts";
import type { ResponseContract } from "../answers/response-contract.ts";
import type { BodySink, BodyStream } from "../types.ts";
import { createEventReader } from "./event-reader.ts";
import type { RawEvent } from "./event-reader.ts";

/** What {@link checkEvents} works with. */
export interface EventRules {
  readonly contracts: ReadonlyMap<string, ResponseContract>;
  readonly canaries: readonly string[];
  readonly limits: Extract<ContractStream, { kind: "events" }>;
  /** Something was left out: the names of fields, or of an event. Told once a stream for each. */
  readonly onDropped: (fields: readonly string[]) => void;
  /** An event may not leave, so the stream was cut. */
  readonly onRefused: (reason: string, fields: readonly string[]) => void;
}

const encoder = new TextEncoder();
const heartbeat = encoder.encode(":\n\n");

/**
 * Passes on server-sent events, each held to the schema of its name and written anew. An event that is not declared is left out; one that is
 * not as declared ends the stream: an answer that turns out wrong midway can't become a 502 any more. While nothing comes a line is sent now and
 * then, and after some time the stream ends well, so that whoever listens comes back and is checked anew.
 */
export function checkEvents(source: BodyStream, rules: EventRules): BodyStream {
  const { contracts, canaries, limits, onDropped, onRefused } = rules;
  const told = new Set<string>();
  let sink: BodySink | undefined;
  let isBlocked = false;
  let timers: (ReturnType<typeof setTimeout> | undefined)[] = [];

  function stop(): BodySink | undefined {
    const last = sink;
    sink = undefined;
    for (const timer of timers) clearTimeout(timer);
    timers = [];
    return last;
  }

  function give(bytes: Uint8Array): void {
    if (sink === undefined) return;
    if (!sink.write(bytes)) isBlocked = true;
  }

  function refuse(reason: string, fields: readonly string[] = []): void {
    const last = stop();
    if (last === undefined) return;
    onRefused(reason, fields);
    source.cancel();
    last.fail();
  }

  function drop(fields: readonly string[]): void {
    const fresh = fields.filter((field) => !told.has(field) && told.size < 20);
    for (const field of fresh) told.add(field);
    if (fresh.length > 0) onDropped(fresh);
  }

  function takeEvent({ name, data, id }: RawEvent): void {
    if (sink === undefined) return;
    const contract = contracts.get(name);
    if (contract === undefined) return drop([`events/${/^[\w.:-]{1,64}$/.test(name) ? name : "*"}`]);
    const place = `events/${name}`;
    const value = parse(data);
    if (value === undefined) return refuse("an event's data is no JSON", [place]);
    const verdict = contract(value.json);
    if (verdict.kind === "refused")
      return refuse(
        "an event is not as declared",
        verdict.fields.map((field) => place + field),
      );
    if (verdict.dropped.length > 0) drop(verdict.dropped.map((field) => place + field));
    const text = writeKept(verdict.value, data);
    if (hasCanary(text, canaries)) return refuse("an event has a canary in it", [place]);
    const head = (id === undefined ? "" : `id: ${id}\n`) + (name === "message" ? "" : `event: ${name}\n`);
    give(encoder.encode(`${head}data: ${text}\n\n`));
  }

  const reader = createEventReader(limits.maxEventBytes, takeEvent);

  return {
    start(given) {
      sink = given;
      const beat = setInterval(() => {
        // Who does not read what was sent needs no sign that there is somebody.
        if (!isBlocked) give(heartbeat);
      }, limits.heartbeatSeconds * 1000);
      const end = setTimeout(() => {
        source.cancel();
        stop()?.end();
      }, limits.maxSeconds * 1000);
      timers = [beat, end];
      source.start({
        write(bytes) {
          if (!reader.push(bytes)) refuse("an event is too large, or no UTF-8");
          return !isBlocked;
        },
        end: () => stop()?.end(),
        fail: () => stop()?.fail(),
      });
    },
    resume() {
      isBlocked = false;
      source.resume();
    },
    cancel() {
      stop();
      source.cancel();
    },
  };
}

function parse(data: string): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(data) };
  } catch {
    return undefined;
  }
}
