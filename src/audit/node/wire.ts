import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { KeptConnection, Protocol, Wire } from "../probes/probe.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import { endpointOf, openSocket } from "./connection.ts";
import { createHttp1, keepHttp1 } from "./http1.ts";
import type { LeavingSender } from "./http1.ts";
import { createHttp2, keepHttp2 } from "./http2.ts";
import { rawAnswer } from "./raw-answer.ts";
import { unreachable } from "./response.ts";
import { trickle } from "./trickle.ts";

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
/** Of those that were under way together all may fail of one moment in which the target, or this machine, had too much to do. */
const fewestMoments = 3;

/**
 * Connects to the target. Certificates are always verified, since tokens travel over these connections; after eight
 * failures in a row the target is taken for gone, and what is left fails at once.
 */
export function createWire({ target, ca, timeoutMs = 10_000, maxBytes = 1_048_576 }: WireOptions): OpenWire {
  const endpoint = endpointOf(target, ca, timeoutMs, maxBytes);
  const { host, isSecure } = endpoint;
  const senders: Record<Protocol, LeavingSender> = {
    "http/1.1": createHttp1(endpoint),
    h2: createHttp2(endpoint),
  };
  const sockets = new Set<Socket>();
  const kept = new Set<KeptConnection>();
  const socket = (protocol: Protocol, client?: string): Socket => {
    const opened = openSocket(endpoint, protocol, client);
    sockets.add(opened);
    return opened.once("close", () => sockets.delete(opened));
  };
  const guarded = createGuard();
  return {
    canChangeClient: isLoopbackHost(target.hostname) && host.startsWith("127."),
    send: (request) => guarded(() => (request.over ?? senders[request.protocol ?? "http/1.1"]).send(request)),
    abandon: (request) => guarded(() => senders[request.protocol ?? "http/1.1"].abandon(request)),
    sendRaw: (bytes) => guarded(() => rawAnswer(socket("http/1.1"), bytes, endpoint)),
    connect(protocol, client) {
      const { send, close } = protocol === "h2" ? keepHttp2(endpoint, client) : keepHttp1(endpoint);
      const connection = {
        protocol,
        client,
        send,
        close() {
          close();
          kept.delete(connection);
        },
      };
      kept.add(connection);
      return connection;
    },
    trickle: (options) => trickle(socket(options.protocol, options.client), options, isSecure),
    close() {
      for (const sender of Object.values(senders)) sender.close();
      for (const open of sockets) open.destroy();
      for (const connection of kept) connection.close();
    },
  };
}

/** Counts failures in a row, and lets nothing more through once there were too many. */
function createGuard(): <T>(work: () => Promise<T>) => Promise<T> {
  let [failures, moments, begun, counted] = [0, 0, 0, 0];
  return async (work) => {
    if (failures >= maxFailures && moments >= fewestMoments)
      throw unreachable("the target stopped answering");
    const number = ++begun;
    try {
      const result = await work();
      [failures, moments] = [0, 0];
      return result;
    } catch (error) {
      failures++;
      if (number > counted) [moments, counted] = [moments + 1, begun];
      throw error;
    }
  };
}

/** Text that no server has seen before. */
export function freshMark(): string {
  return `cw${[...randomBytes(16)].map((byte) => String.fromCharCode(97 + (byte % 26))).join("")}`;
}
