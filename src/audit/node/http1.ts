import { Agent as PlainAgent, request as plainRequest } from "node:http";
import type { AgentOptions, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent, request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import type { ProbeRequest, ProbeResponse } from "../probes/probe.ts";
import { placeOf } from "./connection.ts";
import type { Endpoint } from "./connection.ts";
import {
  bytesOf,
  collect,
  failure,
  invalid,
  isEnding,
  listenTo,
  maxBytesOf,
  pairs,
  toResponse,
  unreachable,
} from "./response.ts";

/** Makes requests of one protocol, until it is closed. */
export interface Sender {
  send: (request: ProbeRequest) => Promise<ProbeResponse>;
  close(): void;
}

/** One that makes requests, too, whose answers it does not wait for. */
export interface LeavingSender extends Sender {
  /** Resolves when the request was written, and its connection or stream is gone. */
  abandon: (request: ProbeRequest) => Promise<void>;
}

/** How long a connection is kept for the next request. */
const keepMs = 3000;

/** Makes HTTP/1.1 requests, reusing connections of one client address. */
export function createHttp1(endpoint: Endpoint): LeavingSender {
  const agent = agentFor(endpoint, { timeout: keepMs });
  return {
    send: (request) =>
      attempt((resolve, reject) => {
        const sent = start(endpoint, request, agent);
        receive(sent, request, endpoint, resolve, (error) => {
          if (!sent.reusedSocket || !isEnding(error)) reject(error);
          else receive(start(endpoint, request, false), request, endpoint, resolve, reject);
        });
      }),
    abandon: (request) =>
      attempt((resolve, reject) => {
        const sent = start(endpoint, request, false);
        let isWritten = false;
        sent.once("finish", () => {
          isWritten = true;
          sent.destroy();
        });
        sent.on("error", (error) => {
          if (!isWritten) reject(failure(error));
        });
        sent.once("close", () => resolve());
        sent.setTimeout(endpoint.timeoutMs, () =>
          sent.destroy(new Error(`not written within ${endpoint.timeoutMs} ms`)),
        );
      }),
    close: () => agent.destroy(),
  };
}

/** Makes requests over the connection that the first of them opens, and over no other. */
export function keepHttp1(endpoint: Endpoint): Sender {
  const agent = agentFor(endpoint, { maxSockets: 1 });
  let own: Socket | undefined;
  return {
    send: (request) =>
      attempt((resolve, reject) => {
        const sent = start(endpoint, request, agent);
        sent.once("socket", (socket) => {
          own ??= socket;
          if (own !== socket) sent.destroy(new Error("the connection was closed"));
        });
        receive(sent, request, endpoint, resolve, reject);
      }),
    close: () => agent.destroy(),
  };
}

const agentFor = ({ isSecure, tls }: Endpoint, options: AgentOptions): PlainAgent =>
  isSecure
    ? new Agent({ keepAlive: true, ...options, ...tls })
    : new PlainAgent({ keepAlive: true, ...options });

function start(endpoint: Endpoint, request: ProbeRequest, agent: PlainAgent | false): ClientRequest {
  const { isSecure, tls } = endpoint;
  const body = bytesOf(request.body);
  const options = { ...optionsOf(endpoint, request, body), agent };
  return (isSecure ? secureRequest({ ...options, ...tls }) : plainRequest(options)).end(body);
}

/** What can't be written down fails as what was not answered does. */
const attempt = <Answer>(
  work: (resolve: (answer: Answer) => void, reject: (error: unknown) => void) => void,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    try {
      work(resolve, reject);
    } catch (error) {
      reject(unreachable(`a request could not be made (${(error as Error).message})`, error));
    }
  });

function optionsOf(endpoint: Endpoint, request: ProbeRequest, body: Uint8Array | undefined): RequestOptions {
  const { target } = endpoint;
  const { host, port } = request.at === undefined ? endpoint : placeOf(request.at);
  const headers = [
    ["host", target.host],
    ...(request.headers ?? []),
    ...(body === undefined ? [] : [["content-length", String(body.length)]]),
  ];
  return {
    host,
    port,
    method: request.method,
    path: request.path,
    headers: headers.flat(),
    setHost: false,
    ...(request.client === undefined ? {} : { localAddress: request.client }),
  };
}

function receive(
  sent: ClientRequest,
  request: ProbeRequest,
  endpoint: Endpoint,
  resolve: (response: ProbeResponse) => void,
  reject: (error: unknown) => void,
): void {
  const { timeoutMs } = endpoint;
  const startedAt = performance.now();
  const timer = setTimeout(() => sent.destroy(new Error(`no full answer within ${timeoutMs} ms`)), timeoutMs);
  sent.on("error", (error) => {
    clearTimeout(timer);
    reject(failure(error));
  });
  // Then there is no answer, and no error either.
  sent.on("upgrade", (_, socket) => {
    clearTimeout(timer);
    socket.destroy();
    reject(invalid("it changed to another protocol, which nobody had asked for"));
  });
  sent.on("response", (message: IncomingMessage) => {
    const collected = collect(maxBytesOf(request, endpoint), () => sent.destroy());
    const listener = listenTo(collected, request.listen);
    message.on("data", (chunk: Uint8Array) => {
      collected.add(chunk);
      listener.heard();
    });
    message.on("error", () => undefined);
    // "close" comes after "end", and after a cut as well.
    message.on("close", () => {
      clearTimeout(timer);
      listener.stop();
      if (!message.complete && !collected.isFull()) return reject(invalid("the answer was cut off"));
      const headers = pairs(message.rawHeaders);
      resolve(
        toResponse({ protocol: "http/1.1", status: message.statusCode ?? 0, headers, collected, startedAt }),
      );
    });
  });
}
