import type { OutgoingHttpHeaders } from "node:http";
import { connect, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { ProbeRequest, ProbeResponse } from "../probes/probe.ts";
import { openSocket } from "./connection.ts";
import type { Endpoint } from "./connection.ts";
import type { LeavingSender, Sender } from "./http1.ts";
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
import type { Listener } from "./response.ts";

/** How long a session is kept for the next request. */
const keepMs = 3000;

/** Makes HTTP/2 requests, in one session a client address. */
export function createHttp2(endpoint: Endpoint): LeavingSender {
  const sessions = new Map<string, ClientHttp2Session>();
  const open = new Set<ClientHttp2Session>();
  const forget = (session: ClientHttp2Session, client: string | undefined): void => {
    if (sessions.get(client ?? "") === session) sessions.delete(client ?? "");
  };
  const sessionOf = (client: string | undefined): ClientHttp2Session => {
    const known = sessions.get(client ?? "");
    if (known !== undefined && !known.destroyed && !known.closed) return known;
    const created = openSession(endpoint, client);
    // Clients come and go; the connections of those that went are not kept.
    created.setTimeout(keepMs, () => {
      // One that a busy target is still opening has requests that wait for it, and would lose them.
      if (!created.connecting) created.close();
    });
    created.once("close", () => open.delete(created));
    open.add(created);
    sessions.set(client ?? "", created);
    return created;
  };
  /** In a session that was kept and ends as it is used again, once more in another. */
  const inSession = async <Result>(
    client: string | undefined,
    work: (session: ClientHttp2Session) => Promise<Result>,
  ): Promise<Result> => {
    const kept = sessions.get(client ?? "");
    const session = sessionOf(client);
    try {
      return await work(session);
    } catch (error) {
      if (session !== kept || !isEnding(error)) throw error;
      forget(session, client);
      return work(sessionOf(client));
    }
  };
  return {
    send: (request) =>
      inSession(request.client, (session) =>
        exchange(session, request, endpoint, () => forget(session, request.client)),
      ),
    abandon: (request) => inSession(request.client, (session) => leave(session, request, endpoint)),
    close() {
      for (const session of open) session.destroy();
    },
  };
}

/** Makes requests in one session, and in no other once it has ended. */
export function keepHttp2(endpoint: Endpoint, client?: string): Sender {
  let session: ClientHttp2Session | undefined;
  return {
    send: (request) =>
      exchange((session ??= openSession(endpoint, client)), request, endpoint, () => undefined),
    close: () => session?.destroy(),
  };
}

function openSession(endpoint: Endpoint, client: string | undefined): ClientHttp2Session {
  const { protocol, host } = endpoint.target;
  const options = {
    createConnection: () => openSocket(endpoint, "h2", client),
    // What may stand once is sent twice, to see what becomes of it. Its types don't know of it.
    strictSingleValueFields: false,
  };
  const session = connect(`${protocol}//${host}`, options);
  session.on("error", () => undefined);
  session.setMaxListeners(0);
  session.unref();
  return session;
}

/** Makes a request in a session, and waits for what becomes of it, for as long as an answer may take. */
function inTime<Result>(
  session: ClientHttp2Session,
  request: ProbeRequest,
  { target, timeoutMs }: Endpoint,
  work: {
    /** What is told of a request whose time is over, and what is done about it. */
    late: { says: string; end(stream: ClientHttp2Stream | undefined): void };
    settle(
      stream: ClientHttp2Stream,
      resolve: (result: Result) => void,
      reject: (error: unknown) => void,
    ): void;
  },
): Promise<Result> {
  // The session keeps the process alive only while somebody waits for it.
  session.ref();
  let timer: NodeJS.Timeout | undefined;
  let stream: ClientHttp2Stream | undefined;
  let onError: (error: Error) => void = () => undefined;
  return new Promise<Result>((resolve, reject) => {
    onError = (error) => reject(failure(error));
    session.once("error", onError);
    timer = setTimeout(() => {
      reject(unreachable(`${work.late.says} within ${timeoutMs} ms`));
      work.late.end(stream);
    }, timeoutMs);
    stream = session.request(fieldsOf(request, target), { endStream: request.body === undefined });
    work.settle(stream, resolve, reject);
    if (request.body !== undefined) stream.end(bytesOf(request.body));
  })
    .catch((error: Error) => {
      throw error.name === "CurtainwallError" ? error : failure(error);
    })
    .finally(() => {
      clearTimeout(timer);
      session.off("error", onError);
      session.unref();
    });
}

function exchange(
  session: ClientHttp2Session,
  request: ProbeRequest,
  endpoint: Endpoint,
  /** The next request begins another session: this one may be dead. */
  onSilence: () => void,
): Promise<ProbeResponse> {
  return inTime<ProbeResponse>(session, request, endpoint, {
    late: {
      says: "no full answer",
      end(stream) {
        onSilence();
        // Others may be waiting for answers of their own, as long as for this one.
        stream?.close(constants.NGHTTP2_CANCEL);
        if (session.connecting) session.destroy();
        else session.close();
      },
    },
    settle: (stream, resolve, reject) => receive(stream, request, endpoint, resolve, reject),
  });
}

/** Makes a request in a session, and takes it back once it was written. */
function leave(session: ClientHttp2Session, request: ProbeRequest, endpoint: Endpoint): Promise<void> {
  return inTime<void>(session, request, endpoint, {
    late: { says: "not written", end: (stream) => stream?.close(constants.NGHTTP2_CANCEL) },
    settle(stream, resolve, reject) {
      let isWritten = false;
      const takeBack = (): void => {
        isWritten = true;
        // In the turn in which it gets its number it is not on its way yet, and would be forgotten.
        setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
      };
      if (stream.pending) stream.once("ready", takeBack);
      else takeBack();
      // What became of it then is nobody's concern.
      stream.on("error", (error: Error) => (isWritten ? undefined : reject(failure(error)))).resume();
      stream.once("close", () => (isWritten ? resolve() : reject(unreachable("the connection was closed"))));
    },
  });
}

function fieldsOf({ method, path, headers = [], body }: ProbeRequest, target: URL): OutgoingHttpHeaders {
  const length = bytesOf(body)?.length;
  const isTunnel = method === "CONNECT";
  const isPlainTunnel = isTunnel && !headers.some(([name]) => name === ":protocol");
  const fields: Record<string, string | string[]> = {
    ":method": method,
    ":authority": target.host,
    // A plain tunnel leads to a host alone; one that names a protocol to an address (RFC 9113 §8.5, RFC 8441 §4).
    ...(isPlainTunnel ? {} : { ":path": path, ":scheme": target.protocol.slice(0, -1) }),
  };
  // What is said in a tunnel is no body.
  if (length !== undefined && !isTunnel) fields["content-length"] = String(length);
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    const before = fields[name];
    // What stands in place of a request line stands once: who gives it means another.
    fields[name] = before === undefined || name.startsWith(":") ? value : [before, value].flat();
  }
  return fields;
}

function receive(
  stream: ClientHttp2Stream,
  request: ProbeRequest,
  endpoint: Endpoint,
  resolve: (response: ProbeResponse) => void,
  reject: (error: unknown) => void,
): void {
  const startedAt = performance.now();
  const collected = collect(maxBytesOf(request, endpoint), () => stream.close(constants.NGHTTP2_CANCEL));
  let listener: Listener | undefined;
  let fields: [string, string][] = [];
  let hasEnded = false;
  stream.on("response", (_, __, raw: string[]) => {
    fields = pairs(raw);
    listener = listenTo(collected, request.listen);
  });
  stream.on("data", (chunk: Uint8Array) => {
    collected.add(chunk);
    listener?.heard();
  });
  stream.on("end", () => (hasEnded = true));
  stream.on("error", (error: Error & { code?: string }) => {
    const isCutOff = fields.length > 0 && error.code === "ERR_HTTP2_STREAM_ERROR";
    reject(isCutOff ? invalid("the answer was cut off", error) : failure(error));
  });
  stream.on("close", () => {
    listener?.stop();
    const status = Number(fields.find(([name]) => name === ":status")?.[1]);
    if (fields.length === 0) return reject(invalid("the stream ended without an answer"));
    if (!hasEnded && !collected.isFull()) return reject(invalid("the answer was cut off"));
    const headers = fields.filter(([name]) => !name.startsWith(":"));
    resolve(toResponse({ protocol: "h2", status, headers, collected, startedAt }));
  });
}
