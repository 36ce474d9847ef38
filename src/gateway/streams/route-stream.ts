import type { ContractRoute, EventSink } from "../../contract/index.ts";
import { createResponseContract } from "../answers/response-contract.ts";
import type { NoteTrimmed } from "../answers/trimmed-answers.ts";
import type { BodySink, BodyStream, ForwardedStream } from "../types.ts";
import { boundDownload } from "./bounded-download.ts";
import { checkEvents } from "./checked-events.ts";

/** What a route's streams need besides the route. */
export interface StreamSurroundings {
  readonly events: EventSink;
  readonly now: () => number;
  readonly canaries: readonly string[];
  readonly noteTrimmed: NoteTrimmed;
}

/** A stream that is ready to leave, with the headers of what it is. */
export interface CheckedStream {
  readonly stream: BodyStream;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
}

/** Puts the checks of a route before a stream of its upstream's, or says why it may not leave at all. */
export type CheckStream = (answer: ForwardedStream, id: string, onOver: () => void) => CheckedStream | string;

/** Compiles {@link CheckStream}; undefined if the route does not answer in parts. */
export function compileStream(
  route: ContractRoute,
  surroundings: StreamSurroundings,
): CheckStream | undefined {
  switch (route.stream?.kind) {
    case "events":
      return compileEvents(route, route.stream, surroundings);
    case "download":
      return compileDownload(route, route.stream, surroundings);
    case undefined:
      return undefined;
  }
}

type Stream<Kind> = Extract<ContractRoute["stream"], { kind: Kind }>;

function compileEvents(
  route: ContractRoute,
  limits: Stream<"events">,
  { events, now, canaries, noteTrimmed }: StreamSurroundings,
): CheckStream {
  const contracts = new Map(
    [...limits.events].map(([name, schema]) => [name, createResponseContract(schema)]),
  );
  const headers = ["content-type", "text/event-stream; charset=utf-8", "x-accel-buffering", "no"];
  return ({ stream }, id, onOver) => ({
    headers,
    stream: untilOver(
      checkEvents(stream, {
        contracts,
        canaries,
        limits,
        onDropped: (fields) => noteTrimmed(id, fields),
        onRefused: (reason, fields) =>
          events({ type: "gateway.answer.refused", time: now(), id, route: route.key, reason, fields }),
      }),
      onOver,
    ),
  });
}

function compileDownload(
  route: ContractRoute,
  { maxBytes, fileName }: Stream<"download">,
  { events, now, canaries }: StreamSurroundings,
): CheckStream {
  const disposition = fileName === undefined ? "attachment" : `attachment; filename="${fileName}"`;
  return ({ stream, type, length }, id, onOver) => {
    if (length !== undefined && length > maxBytes) return "the file is too large";
    const size = length === undefined ? [] : ["content-length", String(length)];
    return {
      headers: ["content-type", type, "content-disposition", disposition, ...size],
      stream: untilOver(
        boundDownload(stream, {
          maxBytes,
          canaries,
          onRefused: (reason) =>
            events({ type: "gateway.answer.refused", time: now(), id, route: route.key, reason }),
        }),
        onOver,
      ),
    };
  };
}

/** Calls `onOver` when the stream has ended, however it did; perhaps more than once. */
function untilOver(source: BodyStream, onOver: () => void): BodyStream {
  const watch = (sink: BodySink): BodySink => ({
    write: (part) => sink.write(part),
    end() {
      onOver();
      sink.end();
    },
    fail() {
      onOver();
      sink.fail();
    },
  });
  return {
    start: (sink) => source.start(watch(sink)),
    resume: () => source.resume(),
    cancel() {
      onOver();
      source.cancel();
    },
  };
}
