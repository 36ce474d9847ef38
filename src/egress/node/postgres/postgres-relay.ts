import type { Socket } from "node:net";
import type { EventSink } from "../../../contract/index.ts";
import type { Lookup } from "../../../shared/node.ts";
import type { SecretSource } from "../../types.ts";
import { tellConnections } from "../connections/tell-connections.ts";
import { codedError, codeOf, createServiceSockets } from "../connections/service-socket.ts";
import type { ServicePlace } from "../connections/service-socket.ts";
import type { ConnectionRelay } from "../connections/redis-relay.ts";
import { readFirst } from "./read-first.ts";
import { createMessageReader, firstCodes, writeFatal, writeFirst, writeMessage } from "./messages.ts";
import { openSession, startTls } from "./open-session.ts";
import type { OpenSession } from "./open-session.ts";

/** Options of {@link createPostgresRelay}. */
export interface PostgresRelayOptions {
  readonly place: ServicePlace;
  readonly user: string;
  readonly database: string;
  /** The name of the secret with its password. */
  readonly secret: string;
  readonly source: Pick<SecretSource, "get">;
  readonly events: EventSink;
  /** Goes without TLS; says why that is safe here. */
  readonly insecureAllowPlain?: string | undefined;
  /** Connections at once, at least 1. Default 64. */
  readonly maxConnections?: number;
  /** How long a connection may take to begin, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  readonly lookup?: Lookup | undefined;
}

/**
 * Lets somebody without the password use a database, as one user: whoever connects is let in as it is, and a session of that user is opened behind it.
 * After that both sides' bytes pass as they are.
 *
 * What may be done in a session is for the database to say: a user that may take on another role can do so here too.
 */
export function createPostgresRelay({
  place,
  user,
  database,
  secret,
  source,
  events,
  insecureAllowPlain,
  maxConnections = 64,
  timeoutMs = 10_000,
  lookup,
}: PostgresRelayOptions): ConnectionRelay {
  const sockets = createServiceSockets(place, { timeoutMs, lookup });
  const isEncrypted = insecureAllowPlain === undefined;
  const clients = new Set<Socket>();
  const tell = tellConnections(events, secret, `${place.host}:${place.port}`);
  /** What a session can be cancelled with, by those bytes: nobody cancels what did not begin here. */
  const cancellable = new Set<string>();

  async function serve(client: Socket): Promise<void> {
    const first = await readFirst(client, { user, database });
    if (first.kind === "refused") {
      tell.refused(first.reason);
      return void client.end(writeFatal("28000", `egress: ${first.reason}`));
    }
    if (first.kind === "cancel") {
      if (cancellable.has(first.key.toString("latin1"))) await cancel(first.key);
      return void client.end();
    }
    const given = await source.get(secret);
    if (given === undefined) throw codedError("SECRETMISSING", "the secret has no value yet");
    const { settings } = first;
    const facts = { user, database, password: given.value, settings, isEncrypted };
    const session = await openSession(sockets, facts, timeoutMs);
    if (client.destroyed) return void session.socket.destroy();
    tell.opened(given.version);
    // Both sides speak 3.0 from here on.
    if (first.minor > 0) client.write(writeMessage("v", Buffer.alloc(8)));
    passOn(client, first.rest, session);
  }

  async function cancel(key: Buffer): Promise<void> {
    const tcp = await sockets.connect();
    const socket = isEncrypted ? await startTls(tcp, sockets) : tcp;
    socket.end(writeFirst(firstCodes.cancel, key));
    socket.resume();
  }

  function passOn(client: Socket, asked: Buffer, { socket, rest }: OpenSession): void {
    let key: string | undefined;
    const end = (): void => {
      if (key !== undefined) cancellable.delete(key);
      // What is on its way to either is delivered still; nothing more comes from the other.
      client.destroySoon();
      socket.destroySoon();
    };
    for (const side of [client, socket]) {
      side.setTimeout(0);
      side.once("end", end).once("close", end);
    }
    client.write(writeMessage("R", Buffer.alloc(4)));
    const greeting = readKey((found) => {
      key = found;
      cancellable.add(found);
    });
    greeting(rest);
    client.write(rest);
    socket.write(asked);
    socket.on("data", (part: Buffer) => {
      greeting(part);
      if (!client.write(part)) socket.pause();
    });
    client.on("data", (part: Buffer) => {
      if (!socket.write(part)) client.pause();
    });
    client.on("drain", () => socket.resume());
    socket.on("drain", () => client.resume());
    socket.resume();
    client.resume();
  }

  return {
    get size() {
      return clients.size;
    },
    accept(client) {
      client.on("error", () => undefined);
      if (clients.size >= maxConnections)
        return void client.end(writeFatal("53300", "egress: too many connections"));
      clients.add(client);
      client.once("close", () => clients.delete(client));
      client.setTimeout(timeoutMs * 2, () => client.destroy());
      serve(client).catch((error: unknown) => {
        const code = codeOf(error);
        tell.failed(code);
        client.end(writeFatal("08001", `egress: no connection to the database (${code})`));
      });
    },
    close() {
      for (const client of clients) client.destroy();
    },
  };
}

/** Looks for the key to cancel with (`K`) in what a server says until it is ready for the first time (`Z`). */
function readKey(found: (key: string) => void): (part: Buffer) => void {
  const reader = createMessageReader(65_536);
  let isOver = false;
  return (part) => {
    if (isOver) return;
    try {
      reader.push(part);
      for (let message = reader.next(); message !== undefined; message = reader.next()) {
        if (message.type === "K") found(message.body.toString("latin1"));
        if (message.type === "Z") return void (isOver = true);
      }
    } catch {
      isOver = true;
    }
  };
}
