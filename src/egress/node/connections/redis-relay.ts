import { scrypt } from "node:crypto";
import type { Socket } from "node:net";
import type { EventSink } from "../../../contract/index.ts";
import { revealSecret, toHex } from "../../../shared/index.ts";
import type { Secret } from "../../../shared/index.ts";
import type { Lookup } from "../../../shared/node.ts";
import type { SecretSource, SecretValue } from "../../types.ts";
import { createRedisCommandFilter } from "./redis-commands.ts";
import { codedError, codeOf, createServiceSockets } from "./service-socket.ts";
import { tellConnections } from "./tell-connections.ts";

/** Options of {@link createRedisRelay}. */
export interface RedisRelayOptions {
  /** `rediss://…`, or `redis://…` where the contract allows it. */
  readonly url: URL;
  readonly username: string | undefined;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  readonly ca?: string | undefined;
  /** The name of the secret with its password. */
  readonly secret: string;
  readonly source: Pick<SecretSource, "get">;
  /** The scripts that may be run there. */
  readonly scripts: readonly string[];
  /** What keys begin with. */
  readonly keyPrefix: string;
  /** Told apart from other sites that use the same store. */
  readonly origin: string;
  readonly events: EventSink;
  /** Connections at once. Default 256: one for each thread of the edge, and some that end just now. */
  readonly maxConnections?: number;
  readonly timeoutMs?: number;
  readonly lookup?: Lookup | undefined;
}

/** Lets somebody without the password use a store; made by {@link createRedisRelay}. */
export interface ConnectionRelay {
  /** Takes over a connection that came in. */
  accept(client: Socket): void;
  /** How many are open. */
  readonly size: number;
  /** Ends all of them. */
  close(): void;
}

const maxWordBytes = 512;

/**
 * Opens a connection to a Redis or Valkey for each that comes in, says the password there, and passes on what is permitted. Who connects reads one
 * line first: `+READY`, and what its counters' names are hashed with, or `-` and a word, and that is all.
 *
 * @throws {Error} when the URL is none that it can open
 */
export function createRedisRelay(options: RedisRelayOptions): ConnectionRelay {
  const {
    url,
    username,
    ca,
    secret,
    source,
    origin,
    events,
    timeoutMs = 5000,
    maxConnections = 256,
  } = options;
  const port = url.port === "" ? 6379 : Number(url.port);
  const sockets = createServiceSockets(
    { host: url.hostname, port, ca },
    { timeoutMs, lookup: options.lookup },
  );
  const clients = new Set<Socket>();
  const tell = tellConnections(events, secret, url.host);
  let known: { version: number; seed: Promise<string> } | undefined;

  /** Slow on purpose: who has it can try passwords against it. Once for each version. */
  function seedFor({ version, value }: SecretValue): Promise<string> {
    if (known?.version === version) return known.seed;
    const seed = deriveSeed(value, origin);
    known = { version, seed };
    seed.catch(() => (known = undefined));
    return seed;
  }

  async function open(given: SecretValue): Promise<Socket> {
    const tcp = await sockets.connect();
    const socket = url.protocol === "rediss:" ? await sockets.secure(tcp) : tcp;
    try {
      await sayPassword(socket, username, given.value, timeoutMs);
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async function serve(client: Socket): Promise<void> {
    const given = await source.get(secret);
    if (given === undefined) throw codedError("SECRETMISSING", "the secret has no value yet");
    // First what is kept: a connection that was opened meanwhile would be nobody's if this fails.
    const seed = await seedFor(given);
    const store = await open(given);
    if (client.destroyed) return void store.destroy();
    tell.opened(given.version);
    client.write(`+READY ${seed}\r\n`);
    passOn(client, store, options);
  }

  return {
    get size() {
      return clients.size;
    },
    accept(client) {
      client.on("error", () => undefined);
      if (clients.size >= maxConnections) return void client.destroy();
      clients.add(client);
      client.once("close", () => clients.delete(client));
      serve(client).catch((error: unknown) => {
        const code = codeOf(error);
        tell.failed(code);
        client.end(`-${code.replaceAll(/[^A-Z]/g, "")}\r\n`);
      });
    },
    close() {
      for (const client of clients) client.destroy();
    },
  };

  function passOn(client: Socket, store: Socket, { scripts, keyPrefix }: RedisRelayOptions): void {
    const filter = createRedisCommandFilter({ scripts, keyPrefix });
    const end = (): void => {
      client.destroy();
      store.destroy();
    };
    for (const socket of [client, store]) {
      socket.once("close", end);
      socket.once("end", end);
    }
    client.on("data", (part: Buffer) => {
      try {
        for (const bytes of filter.push(part)) if (!store.write(bytes)) client.pause();
      } catch (error) {
        tell.refused((error as Error).message);
        end();
      }
    });
    store.on("drain", () => client.resume());
    store.on("data", (part: Buffer) => {
      if (!client.write(part)) store.pause();
    });
    client.on("drain", () => store.resume());
    store.resume();
  }
}

/** `AUTH`, and its answer. What the server says otherwise is told by its first word: the rest may quote what it was sent. */
function sayPassword(
  socket: Socket,
  username: string | undefined,
  password: Secret,
  timeoutMs: number,
): Promise<void> {
  const parts = ["AUTH", ...(username === undefined ? [] : [username]), revealSecret(password)];
  const command = Buffer.from(
    `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`,
  );
  return new Promise((resolve, reject) => {
    let answer = "";
    const timer = setTimeout(() => done(codedError("ETIMEDOUT", "no answer in time")), timeoutMs);
    const closed = (): void => done(codedError("ECONNRESET", "it closed the connection"));
    function done(error?: Error): void {
      clearTimeout(timer);
      command.fill(0);
      socket.off("data", take);
      socket.off("close", closed);
      socket.pause();
      if (error === undefined) resolve();
      else reject(error);
    }
    function take(part: Buffer): void {
      answer += part.toString("latin1");
      if (answer === "+OK\r\n") return done();
      if (answer.length > maxWordBytes || answer.includes("\r\n"))
        done(codedError(/^-([A-Z]{2,30})\b/.exec(answer)?.[1] ?? "NOREDIS", "it does not take the password"));
    }
    socket.on("data", take);
    socket.once("close", closed);
    socket.write(command);
  });
}

function deriveSeed(password: Secret, origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(
      revealSecret(password),
      `curtainwall limits\n${origin}`,
      8,
      { N: 32_768, r: 8, p: 1, maxmem: 67_108_864 },
      (error, key) => (error === null ? resolve(toHex(key)) : reject(error)),
    );
  });
}
