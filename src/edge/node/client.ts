import type { ServerResponse } from "node:http";
import { constants } from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { EdgeContext } from "./context.ts";

const clientKey = Symbol("client");

/** A connection after its TLS handshake: what has to be known about it to tell an honest client from a slow one. */
export class Client {
  readonly socket: TLSSocket;
  readonly address: string;
  /** Whether it is a declared proxy, which speaks for others. */
  readonly isProxy: boolean;
  /** HTTP/1.1: the answer that was begun last. */
  response: ServerResponse | undefined;
  /** HTTP/2. */
  session: ServerHttp2Session | undefined;
  /** HTTP/2: requests under way, each with the time when its answer must have been read; infinite while there is none. */
  readonly streams = new Map<ServerHttp2Stream, number>();
  /** HTTP/2: whether a request ever came. */
  used = false;
  /** HTTP/2: requests that were cancelled, less what has been forgiven since. */
  resets = 0;
  /** HTTP/2: since when nothing is under way. */
  idleSince: number;
  /** HTTP/1.1: nothing more is read, and the connection ends with the answer that was begun last. */
  ending = false;
  /** HTTP/1.1: requests that wait for the one before them. */
  waiting = 0;
  /** HTTP/1.1: bytes of answers that the socket was not given yet. */
  unsent = 0;
  /** HTTP/1.1: when the client must have read what waits to be sent. */
  readBy: number | undefined;

  constructor(socket: TLSSocket, address: string, isProxy: boolean, now: number) {
    this.socket = socket;
    this.address = address;
    this.isProxy = isProxy;
    this.idleSince = now;
    (socket as Marked)[clientKey] = this;
  }
}

interface Marked {
  [clientKey]?: Client;
}

/** The client that a socket, or the stream of a session, belongs to. */
export function clientOf(holder: Socket | ServerHttp2Stream): Client | undefined {
  return (holder as Marked)[clientKey];
}

/** Counts a request of HTTP/2 as under way until its stream is closed. */
export function trackStream(client: Client, stream: ServerHttp2Stream, readBy: number): void {
  (stream as Marked)[clientKey] = client;
  client.used = true;
  client.streams.set(stream, readBy);
}

/**
 * Ends {@link trackStream}. A session that only makes requests to cancel them is ended here, in the middle of what it sent:
 * node's own limit holds from its next packet on, when all that came in this one has reached the API.
 */
export function untrackStream({ limits, now }: EdgeContext, client: Client, stream: ServerHttp2Stream): void {
  client.streams.delete(stream);
  if (client.streams.size === 0) client.idleSince = now;
  // A client may cancel with NO_ERROR too: what tells is that it did so before its answer was there.
  const isWhole = stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.aborted;
  if (isWhole || ++client.resets <= limits.streamResetBurst) return;
  const error = Object.assign(new Error("too many cancelled requests"), { code: "streamResetBurst" });
  client.session?.destroy(error, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** When an answer of so many bytes must have been read. */
export function readByTime({ limits, now }: EdgeContext, bytes: number): number {
  return now + limits.responseTimeoutMs + (bytes * 1000) / limits.minBytesPerSecond;
}

/** Looks whether a client has exceeded a time, and ends what it has exceeded it with. To be called every now and then. */
export function checkClient(context: EdgeContext, client: Client): void {
  if (client.session === undefined) checkHttp1(context, client);
  else checkHttp2(context, client, client.session);
}

function checkHttp1(context: EdgeContext, client: Client): void {
  const { socket, response } = client;
  if (context.closing && (response === undefined || response.writableFinished)) {
    socket.destroy();
    return;
  }
  const waiting = socket.writableLength + client.unsent;
  if (waiting === 0) {
    client.readBy = undefined;
  } else if (client.readBy === undefined) {
    client.readBy = readByTime(context, waiting);
  } else if (context.now > client.readBy) {
    reportSlow(context, client, "responseTimeoutMs");
    socket.destroy();
  }
}

function checkHttp2(context: EdgeContext, client: Client, session: ServerHttp2Session): void {
  const { limits, now } = context;
  client.resets = Math.max(0, client.resets - (limits.streamResetPerSecond * limits.checkIntervalMs) / 1000);
  if (client.streams.size === 0) {
    const limit = client.used ? "idleTimeoutMs" : "headersTimeoutMs";
    if (now - client.idleSince <= limits[limit]) return;
    if (!client.used && !session.closed) reportSlow(context, client, limit);
    // Closing says good-bye; who doesn't read that, or holds a request's headers back, is cut at the next check.
    if (session.closed) session.destroy();
    else session.close();
    return;
  }
  for (const [stream, readBy] of client.streams) {
    if (now <= readBy) continue;
    if (stream.closed) {
      // It was cancelled at the last check, and even that could not be sent.
      session.destroy();
      return;
    }
    reportSlow(context, client, "responseTimeoutMs");
    stream.close(constants.NGHTTP2_CANCEL);
  }
}

function reportSlow(context: EdgeContext, client: Client, detail: string): void {
  context.onEvent({ kind: "client-too-slow", remoteAddress: client.address, detail });
}
