// What runs functions in Node: the whole program of such a group's process, which reads it from a pipe. It imports nothing but Node, since nothing
// else is there.
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, request as send } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { registerHooks } from "node:module";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What is written behind this program's text. */
export interface NodeGroupOptions {
  /** Code by function. */
  readonly bundles: Readonly<Record<string, string>>;
  /** Where egress listens. Undefined: there is no way out. */
  readonly egress: string | undefined;
  readonly listenerFd: number;
  /** The header that says which function asks. */
  readonly functionHeader: string;
  /** The header of an answer that says that the function threw. */
  readonly failureHeader: string;
}

interface Worker {
  fetch(request: Request, environment: object): Promise<Response>;
}

const scheme = "file:///";
/** The call whose code runs. */
interface Current {
  readonly name: string;
  /** Ends it as one that threw. */
  readonly fail: (error: unknown) => void;
}

const current = new AsyncLocalStorage<Current>();

/** Loads the functions, and answers their calls. */
export async function startGroup({
  bundles,
  egress,
  listenerFd,
  functionHeader,
  failureHeader,
}: NodeGroupOptions): Promise<void> {
  // A promise that nobody handles is one function's mistake, and no reason for its neighbours to end.
  process.on("unhandledRejection", say);
  globalThis.fetch = async (input, init) => fetchThrough(egress, functionHeader, new Request(input, init));
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith(scheme) && nameIn(specifier) in bundles
        ? { url: specifier, format: "module", shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) => {
      const source = url.startsWith(scheme) ? bundles[nameIn(url)] : undefined;
      return source === undefined ? next(url, context) : { source, format: "module", shortCircuit: true };
    },
  });
  const workers = new Map<string, Worker>();
  for (const name of Object.keys(bundles)) {
    const module = (await import(`${scheme}${name}/function.js`)) as { default: Worker };
    workers.set(name, module.default);
  }
  const server = createServer((request, response) => {
    const [, kind, name = ""] = (request.url ?? "").split("/");
    const worker = workers.get(name);
    if (kind === "ping") end(response, 204);
    else if (worker === undefined) end(response, 404);
    else void answer({ name, worker, failureHeader }, request, response);
  });
  // Nor is an error in a callback, which may be what a service or a visitor brought about: the call that it came from ends, if that is known.
  server.listen({ fd: listenerFd }, () => {
    process.on("uncaughtException", (error) => {
      const call = current.getStore();
      if (call === undefined) say(error);
      else call.fail(error);
    });
  });
}

/** What nobody waits for any more. */
const say = (error: unknown): void => console.error(textOf(error));

const nameIn = (url: string): string => url.slice(scheme.length).split("/", 1)[0] ?? "";

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-length": 0 });
  response.end();
}

interface Answering {
  readonly name: string;
  readonly worker: Worker;
  readonly failureHeader: string;
}

async function answer(
  { name, worker, failureHeader }: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  const { promise: thrown, resolve } = Promise.withResolvers<Response>();
  let isOver = false;
  const fail = (error: unknown): void => {
    if (isOver) return say(error);
    isOver = true;
    const told = JSON.stringify({ stack: textOf(error) });
    resolve(new Response(told, { status: 500, headers: { [failureHeader]: "threw" } }));
  };
  response.once("close", () => current.run({ name, fail }, () => gone.abort()));
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const url = `http://group${request.url ?? "/"}`;
    const call = new Request(url, { method: "POST", body: Buffer.concat(chunks), signal: gone.signal });
    const given = current.run({ name, fail }, () => worker.fetch(call, {}));
    const { status, headers, body } = await Promise.race([given, thrown]);
    isOver = true;
    response.writeHead(status, Object.fromEntries(headers));
    if (body === null) return void response.end();
    await pipeline(fromWeb(body), response);
  } catch (error) {
    // Who has gone is no mistake of a function's.
    if (!gone.signal.aborted) say(error);
    response.destroy();
  }
}

/** What a log keeps of one error. */
const maxTold = 16_384;

/** To ask an error what it is runs code of whoever made it. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.stack : error).slice(0, maxTold);
  } catch {
    return "an error that can't be shown";
  }
}

const fromWeb = (stream: ReadableStream): Readable =>
  Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]);

/** Asks egress for what a function asks the network for: the address in full, as to a proxy. */
function fetchThrough(
  egress: string | undefined,
  functionHeader: string,
  request: Request,
): Promise<Response> {
  if (egress === undefined)
    return Promise.reject(new TypeError("fetch failed: this function reaches nothing"));
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(request.headers);
    headers[functionHeader] = current.getStore()?.name ?? "";
    const { method, url: path, signal } = request;
    const options = { socketPath: egress, method, path, headers, signal, setHost: false };
    const fail = (cause: unknown): void => reject(new TypeError("fetch failed", { cause }));
    const asked = send(options, (answered) => {
      // Nobody catches what is thrown here, and a service says what this reads.
      try {
        resolve(responseOf(answered, method));
      } catch (cause) {
        fail(cause);
        asked.destroy();
      }
    });
    asked.on("error", fail);
    // Another protocol was not asked for. Unless this is heard, Node leaves the connection open, and the promise waits.
    asked.on("upgrade", (_answered, socket) => {
      socket.destroy();
      fail(new Error("the service speaks another protocol"));
    });
    asked.on("close", () => fail(new Error("there was no answer")));
    if (request.body === null) return void asked.end();
    // A body that fails is told by the request, which it ends.
    pipeline(fromWeb(request.body), asked).catch(fail);
  });
}

/** Statuses whose answers have no body, whatever follows them. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** @throws what `Response` and `Headers` throw about an answer that they can't be */
function responseOf(answered: IncomingMessage, method: string): Response {
  const { statusCode: status = 0, rawHeaders } = answered;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2)
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  const isEmpty = bodiless.has(status) || method === "HEAD";
  const response = new Response(isEmpty ? null : toWeb(answered), { status, headers });
  // One that breaks off after its head has told all that there is.
  if (isEmpty) answered.on("error", () => undefined).resume();
  return response;
}

const toWeb = (stream: Readable): ReadableStream<Uint8Array> =>
  Readable.toWeb(stream) as ReadableStream<Uint8Array>;
