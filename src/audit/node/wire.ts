import { randomBytes } from "node:crypto";
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { Agent, request as secureRequest } from "node:https";
import { connect as connectPlain } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { CurtainwallError } from "../../shared/index.ts";
import type { ProbeRequest, ProbeResponse, Protocol, TrickleOptions, TrickleResult, Wire } from "../probe.ts";
import { connectAddress, isLoopback, serverName } from "./address.ts";

/** Options of {@link createWire}. */
export interface WireOptions {
  target: URL;
  /** PEM; default the system's authorities. */
  ca?: string | undefined;
  /** How long one answer may take, in milliseconds. Default 10 000. */
  timeoutMs?: number;
  /** The largest answer that is read, in bytes. Default 1 048 576. */
  maxBytes?: number;
}

/** A {@link Wire} with connections to close. */
export interface OpenWire extends Wire {
  close(): void;
}

const maxFailures = 8;

/**
 * Connects to the target. Certificates are always verified, since tokens travel over these connections; after eight
 * failures in a row the target is taken for gone, and what is left fails at once.
 */
export function createWire({ target, ca, timeoutMs = 10_000, maxBytes = 1_048_576 }: WireOptions): OpenWire {
  const isSecure = target.protocol === "https:";
  const host = connectAddress(target.hostname);
  const port = Number(target.port === "" ? (isSecure ? "443" : "80") : target.port);
  const tls = { ...serverName(target.hostname), ...(ca === undefined ? {} : { ca }) };
  const agent = isSecure
    ? new Agent({ keepAlive: true, timeout: 3000, ...tls })
    : new PlainAgent({ keepAlive: true, timeout: 3000 });
  const sessions = new Map<string, ClientHttp2Session>();
  const sockets = new Set<Socket>();
  let failures = 0;

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (failures >= maxFailures) throw unreachable("the target stopped answering");
    try {
      const result = await work();
      failures = 0;
      return result;
    } catch (error) {
      failures++;
      throw error;
    }
  };

  const http1 = (request: ProbeRequest): Promise<ProbeResponse> =>
    new Promise((resolve, reject) => {
      const body = bytesOf(request.body);
      const headers = [
        ["host", target.host],
        ...(request.headers ?? []),
        ...(body === undefined ? [] : [["content-length", String(body.length)]]),
      ];
      const options: RequestOptions = {
        host,
        port,
        method: request.method,
        path: request.path,
        headers: headers.flat(),
        agent,
        setHost: false,
        ...(request.client === undefined ? {} : { localAddress: request.client }),
      };
      const startedAt = performance.now();
      let sent: ClientRequest;
      try {
        sent = (isSecure ? secureRequest : plainRequest)(options);
      } catch (error) {
        reject(unreachable(`a request could not be made (${(error as Error).message})`, error));
        return;
      }
      const timer = setTimeout(
        () => sent.destroy(new Error(`no full answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      sent.on("error", (error) => {
        clearTimeout(timer);
        reject(failure(error));
      });
      sent.on("response", (message: IncomingMessage) => {
        const collected = collect(maxBytes, () => sent.destroy());
        message.on("data", collected.add);
        message.on("error", () => undefined);
        // "close" comes after "end", and after a cut as well.
        message.on("close", () => {
          clearTimeout(timer);
          if (!message.complete && !collected.isFull()) reject(invalid("the answer was cut off"));
          else
            resolve(
              answer("http/1.1", message.statusCode ?? 0, pairs(message.rawHeaders), collected, startedAt),
            );
        });
      });
      sent.end(body);
    });

  const session = (client: string | undefined): ClientHttp2Session => {
    const key = client ?? "";
    const known = sessions.get(key);
    if (known !== undefined && !known.destroyed && !known.closed) return known;
    const options = { ...tls, ...(client === undefined ? {} : { localAddress: client }) };
    const created = connectHttp2(`${target.protocol}//${target.host}`, {
      createConnection: () =>
        isSecure
          ? connectTls({ host, port, ALPNProtocols: ["h2"], ...options })
          : connectPlain({ host, port }),
    });
    created.on("error", () => undefined);
    created.unref();
    sessions.set(key, created);
    return created;
  };

  const http2 = (request: ProbeRequest): Promise<ProbeResponse> =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const current = session(request.client);
      const fields: Record<string, string | string[]> = {
        ":method": request.method,
        ":path": request.path,
        ":authority": target.host,
        ":scheme": target.protocol.slice(0, -1),
      };
      for (const [name, value] of request.headers ?? []) fields[name.toLowerCase()] = value;
      current.ref();
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        current.off("error", onError);
        current.unref();
        act();
      };
      const timer = setTimeout(() => {
        current.destroy();
        finish(() => reject(unreachable(`no full answer within ${timeoutMs} ms`)));
      }, timeoutMs);
      const onError = (error: Error): void => finish(() => reject(failure(error)));
      current.once("error", onError);
      let stream: ClientHttp2Stream;
      try {
        stream = current.request(fields, { endStream: request.body === undefined });
      } catch (error) {
        finish(() => reject(failure(error as Error)));
        return;
      }
      const collected = collect(maxBytes, () => stream.close());
      let status = 0;
      let headers: [string, string][] = [];
      stream.on("response", (_, __, raw: string[]) => {
        headers = pairs(raw).filter(([name]) => !name.startsWith(":"));
        status = Number(pairs(raw).find(([name]) => name === ":status")?.[1]);
      });
      stream.on("data", collected.add);
      stream.on("error", (error) => finish(() => reject(failure(error))));
      stream.on("close", () =>
        finish(() =>
          status === 0
            ? reject(invalid("the stream ended without an answer"))
            : resolve(answer("h2", status, headers, collected, startedAt)),
        ),
      );
      if (request.body !== undefined) stream.end(bytesOf(request.body));
    });

  const socket = (alpn: Protocol, client?: string): Socket => {
    const from = client === undefined ? {} : { localAddress: client };
    const opened = isSecure
      ? connectTls({ host, port, ALPNProtocols: [alpn], ...tls, ...from })
      : connectPlain({ host, port, ...from });
    sockets.add(opened);
    return opened.once("close", () => sockets.delete(opened));
  };

  return {
    canChangeClient: isLoopback(target.hostname) && host.startsWith("127."),
    send: (request) => guarded(() => (request.protocol === "h2" ? http2(request) : http1(request))),
    sendRaw: (bytes) => guarded(() => rawAnswer(socket("http/1.1"), bytes, timeoutMs, isSecure)),
    trickle: (options) => trickle(socket(options.protocol, options.client), options, isSecure),
    close() {
      agent.destroy();
      for (const open of sessions.values()) open.destroy();
      for (const open of sockets) open.destroy();
    },
  };
}

const bytesOf = (body: ProbeRequest["body"]): Uint8Array | undefined =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;

interface Collected {
  add: (chunk: Uint8Array) => void;
  bytes: () => Uint8Array;
  isFull: () => boolean;
}

/** Keeps what comes up to a bound, then has the rest stopped. */
function collect(maxBytes: number, stop: () => void): Collected {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isFull = false;
  return {
    add(chunk) {
      if (isFull) return;
      chunks.push(chunk.subarray(0, maxBytes - length));
      length += chunk.length;
      if (length <= maxBytes) return;
      isFull = true;
      stop();
    },
    bytes: () => Buffer.concat(chunks),
    isFull: () => isFull,
  };
}

function answer(
  protocol: Protocol,
  status: number,
  headers: [string, string][],
  collected: Collected,
  startedAt: number,
): ProbeResponse {
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

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    found.push([String(raw[index]).toLowerCase(), String(raw[index + 1])]);
  return found;
}

const unreachable = (message: string, cause?: unknown): CurtainwallError =>
  new CurtainwallError("AUDIT_TARGET_UNREACHABLE", message, cause === undefined ? {} : { cause });
const invalid = (message: string, cause?: unknown): CurtainwallError =>
  new CurtainwallError("AUDIT_ANSWER_INVALID", message, cause === undefined ? {} : { cause });

function failure(error: Error & { code?: string }): CurtainwallError {
  if (error.code?.startsWith("HPE_") === true)
    return invalid(`the answer is not HTTP (${error.code})`, error);
  return unreachable(`no answer: ${error.code ?? error.message}`, error);
}

const maxRawBytes = 65_536;

/** Waits for the connection to be usable. */
function whenOpen(socket: Socket, isSecure: boolean, then: () => void): void {
  socket.once(isSecure ? "secureConnect" : "connect", then);
}

/** Sends bytes and reads one answer, by its own few rules: what is sent may be so wrong that an HTTP client would refuse to. */
function rawAnswer(
  socket: Socket,
  bytes: Uint8Array | string,
  timeoutMs: number,
  isSecure: boolean,
): Promise<ProbeResponse> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const collected = collect(maxRawBytes, () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    whenOpen(socket, isSecure, () => socket.write(bytes));
    socket.on("data", (chunk: Uint8Array) => {
      collected.add(chunk);
      if (parseAnswer(collected.bytes())?.isWhole === true) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      const parsed = parseAnswer(collected.bytes());
      if (parsed === undefined) reject(invalid("the connection ended without an HTTP answer"));
      else
        resolve(
          answer(
            "http/1.1",
            parsed.status,
            parsed.headers,
            { ...collected, bytes: () => parsed.body },
            startedAt,
          ),
        );
    });
  });
}

function parseAnswer(
  bytes: Uint8Array,
): { status: number; headers: [string, string][]; body: Uint8Array; isWhole: boolean } | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (end < 0 || status === undefined) return undefined;
  const headers = text
    .slice(0, end)
    .split("\r\n")
    .slice(1)
    .map((line): [string, string] => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]);
  const body = bytes.subarray(end + 4);
  const length = headers.find(([name]) => name === "content-length")?.[1];
  return {
    status: Number(status),
    headers,
    body,
    isWhole: length !== undefined && body.length >= Number(length),
  };
}

const maxTrickleBytes = 4096;

function trickle(
  socket: Socket,
  { head, drip, maxMs }: TrickleOptions,
  isSecure: boolean,
): Promise<TrickleResult> {
  return new Promise((resolve, reject) => {
    const received = collect(maxTrickleBytes, () => undefined);
    let openedAt = 0;
    let count = 0;
    let hasAnswered = false;
    let interval: NodeJS.Timeout | undefined;
    const finish = (ended: boolean): void => {
      clearInterval(interval);
      clearTimeout(giveUp);
      socket.destroy();
      resolve({ ended, afterMs: performance.now() - openedAt, received: received.bytes() });
    };
    const giveUp = setTimeout(() => finish(hasAnswered), maxMs);
    whenOpen(socket, isSecure, () => {
      openedAt = performance.now();
      socket.write(head);
      interval = setInterval(() => {
        if (socket.writable) socket.write(drip.subarray(count % drip.length, (count % drip.length) + 1));
        count++;
      }, 1000);
    });
    socket.on("data", (chunk: Uint8Array) => {
      received.add(chunk);
      hasAnswered ||= Buffer.from(received.bytes()).toString("latin1").startsWith("HTTP/");
      // An answer before the end of the request is the server having had enough.
      if (hasAnswered && received.bytes().includes(10)) setTimeout(() => finish(true), 50);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (openedAt > 0) finish(true);
      else {
        clearTimeout(giveUp);
        reject(unreachable("no connection"));
      }
    });
  });
}

/** Text that no server has seen before. */
export function freshMark(): string {
  return `cw${[...randomBytes(16)].map((byte) => String.fromCharCode(97 + (byte % 26))).join("")}`;
}
