import type { IncomingMessage, ServerResponse } from "node:http";
import { callPath, failureHeader } from "../../call.ts";
import { createErrorLog } from "../../keeper/error-log.ts";
import { createQuarantine } from "../../keeper/quarantine.ts";
import { createGroupRunner } from "./group-runner.ts";
import type { GroupRunner } from "./group-runner.ts";
import { keepSchedules } from "./keep-schedules.ts";
import type { CallFailure, CallOutcome, KeeperSurroundings, KeptFunction, KeptGroup } from "./types.ts";

/** Options of {@link createKeeper}. */
export interface KeeperOptions extends KeeperSurroundings {
  readonly groups: readonly KeptGroup[];
}

/** Stands between the edge and the processes of functions. */
export interface Keeper {
  /** Answers `POST /call/<function>`. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** A group's process was started. */
  groupStarted(group: string): void;
  /** It has ended, or could not be started. */
  groupExited(group: string, how: string): void;
  /** A group's code is another now. */
  groupReplaced(group: string): void;
  /** Lets calls under way end, for at most so many milliseconds, and cuts the rest. */
  close(graceMs: number): Promise<void>;
}

/** A call's body is JSON that the gateway has written: what a route takes at most, and some. */
const maxCallBytes = 128 * 2 ** 20;

/** What the edge is told of a failure. */
const statuses: Readonly<Record<CallFailure, number>> = {
  FUNCTIONS_CALL_INVALID: 400,
  FUNCTIONS_ANSWER_INVALID: 502,
  FUNCTIONS_ANSWER_TOO_LARGE: 502,
  FUNCTIONS_THREW: 502,
  FUNCTIONS_ENDED: 502,
  FUNCTIONS_ABANDONED: 502,
  FUNCTIONS_BUSY: 503,
  FUNCTIONS_QUARANTINED: 503,
  FUNCTIONS_UNAVAILABLE: 503,
  FUNCTIONS_HUNG: 504,
  FUNCTIONS_TIMEOUT: 504,
};

interface Kept {
  readonly function: KeptFunction;
  readonly runner: GroupRunner;
  underWay: number;
}

/**
 * Keeps the functions of a site: passes calls on to the process of their group, which is started for them, and ends what loops, grows or stays silent.
 * It reads neither calls nor answers: the gateway has written the ones, and reads the others.
 */
export function createKeeper({ groups, ...surroundings }: KeeperOptions): Keeper {
  const { events, onLine } = surroundings;
  const now = (): number => performance.now();
  const quarantine = createQuarantine({ now });
  const errors = createErrorLog({ now, onLine });
  const runners = new Map(
    groups.map((group) => [group.name, createGroupRunner(group, quarantine, surroundings)]),
  );
  const kept = new Map<string, Kept>(
    groups.flatMap(({ name, functions }) =>
      functions.map((one) => [
        one.name,
        { function: one, runner: runners.get(name) as GroupRunner, underWay: 0 },
      ]),
    ),
  );
  let onIdle = (): void => undefined;
  let isClosing = false;

  /** @returns what calls it off */
  function run(one: Kept, path: string, body: Uint8Array, done: (outcome: CallOutcome) => void): () => void {
    const { name, concurrency } = one.function;
    const remainingMs = quarantine.remainingMs(name);
    const refusal =
      remainingMs > 0
        ? failed(
            "FUNCTIONS_QUARANTINED",
            `${name} ended its process too often: ${Math.ceil(remainingMs / 1000)} s`,
          )
        : one.underWay >= concurrency
          ? failed("FUNCTIONS_BUSY", `${concurrency} calls of ${name} are under way`)
          : isClosing
            ? failed("FUNCTIONS_UNAVAILABLE", "the stack stops")
            : undefined;
    if (refusal !== undefined) {
      done(refusal);
      return () => undefined;
    }
    one.underWay++;
    return one.runner.call({
      function: one.function,
      path,
      body,
      done(outcome) {
        one.underWay--;
        done(outcome);
        if ([...runners.values()].every(({ underWay }) => underWay === 0)) onIdle();
      },
    });
  }

  function tell(name: string, id: string, outcome: CallOutcome): void {
    if (outcome.kind === "answered") return;
    const { code, reason } = outcome;
    if (code === "FUNCTIONS_THREW") errors.tell(name, id, reason);
    events({
      type: "function.failed",
      time: Date.now(),
      function: name,
      id,
      code,
      reason: firstLine(reason),
    });
  }

  const endSchedules = keepSchedules({
    functions: [...kept.values()].map((one) => one.function),
    events,
    run: (name, path, body, done) => {
      const one = kept.get(name) as Kept;
      run(one, path, body, (outcome) => {
        if (outcome.kind === "failed" && outcome.code === "FUNCTIONS_THREW")
          tell(name, "(scheduled)", outcome);
        done(outcome);
      });
    },
  });

  return {
    handle(request, response) {
      const one = kept.get(nameIn(request.url ?? ""));
      if (one === undefined || request.method !== "POST")
        return refuse(response, failed("FUNCTIONS_CALL_INVALID", "there is no such function"));
      const id = printableId(request.headers["request-id"]);
      readWhole(request, (body) => {
        if (body === undefined)
          return refuse(response, failed("FUNCTIONS_CALL_INVALID", "the call is too large"));
        let isOver = false;
        const callOff = run(one, request.url ?? "", body, (outcome) => {
          isOver = true;
          if (response.destroyed) return;
          tell(one.function.name, id, outcome);
          if (outcome.kind === "answered") answer(response, outcome);
          else refuse(response, outcome);
        });
        response.once("close", () => {
          if (!isOver) callOff();
        });
      });
    },
    groupStarted: (group) => runners.get(group)?.started(),
    groupExited: (group, how) => runners.get(group)?.exited(how),
    groupReplaced(group) {
      const runner = runners.get(group);
      runner?.replaced();
      for (const [name, one] of kept) if (one.runner === runner) errors.forget(name);
    },
    async close(graceMs) {
      isClosing = true;
      endSchedules();
      if ([...runners.values()].some(({ underWay }) => underWay > 0))
        await new Promise<void>((resolve) => {
          onIdle = resolve;
          setTimeout(resolve, graceMs).unref();
        });
      await Promise.all([...runners.values()].map((runner) => runner.close()));
      errors.close();
    },
  };
}

const failed = (code: CallFailure, reason: string): Extract<CallOutcome, { kind: "failed" }> => ({
  kind: "failed",
  code,
  reason,
});

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
const callPrefix = callPath("");
const nameIn = (path: string): string => (path.startsWith(callPrefix) ? path.slice(callPrefix.length) : "");
const idGrammar = /^[\w.-]{1,64}$/;
const printableId = (id: string | string[] | undefined): string =>
  typeof id === "string" && idGrammar.test(id) ? id : "-";

/** Undefined: it is too large. A call that breaks off is nobody's any more. */
function readWhole(request: IncomingMessage, done: (body: Uint8Array | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxCallBytes) return void chunks.push(chunk);
    request.removeAllListeners("data");
    request.removeAllListeners("end");
    request.resume();
    done(undefined);
  });
  request.on("end", () => done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
  request.on("error", () => undefined);
}

function answer(
  response: ServerResponse,
  { status, headers, body }: Extract<CallOutcome, { kind: "answered" }>,
): void {
  const length = status === 204 ? [] : ["content-length", String(body.length)];
  response.writeHead(status, [...headers, ...length]);
  response.end(body);
}

/** The reason is for the log, and names nothing but functions and limits. */
function refuse(response: ServerResponse, { code, reason }: Extract<CallOutcome, { kind: "failed" }>): void {
  const body = JSON.stringify({ error: { code, reason: code === "FUNCTIONS_THREW" ? "it threw" : reason } });
  response.writeHead(statuses[code], {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    [failureHeader]: code,
  });
  response.end(body);
}
