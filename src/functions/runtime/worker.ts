import { failureHeader, isAnswerStatus, parseCall, parseScheduledCall } from "../call.ts";
import type { ScheduledCall } from "../call.ts";
import type { FunctionDefinition } from "../define-function.ts";
import { isFailure, isReply } from "../reply.ts";

/** What a bundle exports by default: a module worker, as workerd and Cloudflare run it. */
export interface Worker {
  fetch(request: Request, environment: Readonly<Record<string, unknown>>): Promise<Response>;
  scheduled(controller: { readonly scheduledTime: number }): Promise<void>;
}

/** Options of {@link createWorker}. */
export interface WorkerOptions {
  readonly name: string;
  /** Told of bindings, where there are some. See `bindings.ts`. */
  readonly bind?: ((environment: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** The binding that callers must know where others could call: on Cloudflare, and nowhere in a stack, which binds nothing. */
const callKeyName = "CURTAINWALL_CALL_KEY";
/** Says it. */
const callKeyHeader = "x-curtainwall-call-key";

/** What a stack's log keeps of one error. */
const maxTold = 16_384;

/** Wraps a function so that it answers calls, the clock and pings over HTTP. Each bundle has this around it. */
export function createWorker(definition: unknown, { name, bind }: WorkerOptions): Worker {
  const { call, scheduled } = assertDefinition(definition, name);

  async function answerCall(request: Request): Promise<Response> {
    const read = parseCall(await request.json());
    if (typeof read === "string") throw new TypeError(`This is no call: ${read}.`);
    if (call === undefined)
      throw new TypeError(`functions/${name} answers no routes: it is made by onSchedule.`);
    const { signal } = request;
    const { route, id, params, query, headers, body, settings, caller } = read;
    const result = await call({ route, id, params, query, headers, body, settings, caller, signal });
    return write(result);
  }

  async function answerScheduled(request: Request): Promise<Response> {
    const read = parseScheduledCall(await request.json());
    if (typeof read === "string") throw new TypeError(`This is no call: ${read}.`);
    await runScheduled(read, request.signal);
    return new Response(null, { status: 204 });
  }

  async function runScheduled(event: Omit<ScheduledCall, "version">, signal: AbortSignal): Promise<void> {
    if (scheduled === undefined) throw new TypeError(`functions/${name} has nothing for the clock to call.`);
    const { id, dueMs, settings } = event;
    await scheduled({ id, due: new Date(dueMs), settings, signal });
  }

  return {
    async fetch(request, environment) {
      const [, kind, named] = new URL(request.url).pathname.split("/");
      if (kind === "ping") return new Response(null, { status: 204 });
      if (named !== name || request.method !== "POST") return new Response(null, { status: 404 });
      if (!(await mayCall(request, environment))) return new Response(null, { status: 401 });
      try {
        bind?.(environment);
        if (kind === "call") return await answerCall(request);
        if (kind === "scheduled") return await answerScheduled(request);
        return new Response(null, { status: 404 });
      } catch (thrown) {
        return isFailure(thrown) ? write(thrown) : tell(thrown);
      }
    },
    scheduled: (controller) =>
      runScheduled(
        { id: crypto.randomUUID(), dueMs: controller.scheduledTime, settings: {} },
        new AbortController().signal,
      ),
  };
}

/** In a stack whoever reaches the socket may call, and nothing is bound. Elsewhere calls say who calls, which is believed only with the key. */
async function mayCall(request: Request, environment: Readonly<Record<string, unknown>>): Promise<boolean> {
  if (Object.keys(environment).length === 0) return true;
  const key = environment[callKeyName];
  if (typeof key !== "string" || key.length < 32) return false;
  const [left, right] = await Promise.all([digest(key), digest(request.headers.get(callKeyHeader) ?? "")]);
  // Of digests it tells nothing where they differ.
  return left.every((byte, index) => byte === right[index]);
}

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

function assertDefinition(definition: unknown, name: string): FunctionDefinition {
  if (typeof definition === "object" && definition !== null && "kind" in definition)
    if (definition.kind === "function") return definition as FunctionDefinition;
  throw new TypeError(
    `functions/${name} exports no function by default: export default defineFunction<…>(…)`,
  );
}

function write(result: unknown): Response {
  if (isFailure(result)) return respond(result.status, result.body);
  if (isReply(result)) return respond(result.status, result.value, result.headers);
  return respond(result === undefined ? 204 : 200, result);
}

function respond(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  if (!isAnswerStatus(status)) throw new RangeError(`No function answers with ${status}.`);
  const own = new Headers();
  for (const [name, text] of Object.entries(headers))
    if (!name.toLowerCase().startsWith("x-curtainwall-")) own.set(name, text);
  own.set("content-type", "application/json");
  const text = value === undefined || status === 204 ? null : JSON.stringify(value);
  return new Response(text, { status, headers: own });
}

/** For the log alone: whoever asked is told no more than that it failed. */
function tell(thrown: unknown): Response {
  return new Response(JSON.stringify(wordsOf(thrown)), {
    status: 500,
    headers: { "content-type": "application/json", [failureHeader]: "threw" },
  });
}

/** To ask an error what it is runs code of whoever made it. */
function wordsOf(thrown: unknown): { readonly message: string; readonly stack: string } {
  try {
    const message = String(thrown instanceof Error ? thrown.message : thrown);
    return { message: message.slice(0, maxTold), stack: stackOf(thrown).slice(0, maxTold) };
  } catch {
    return { message: unreadable, stack: unreadable };
  }
}

const unreadable = "It threw an error that can't be shown.";

/** With what led to it, four errors deep. */
function stackOf(thrown: unknown, depth = 0): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  return thrown.cause === undefined || depth === 4
    ? own
    : `${own}\ncaused by: ${stackOf(thrown.cause, depth + 1)}`;
}
