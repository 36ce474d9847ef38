import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { requires } from "../requires.ts";
import { endChild, freePort, untilLine } from "./child-server.ts";
import { certificate } from "./https-server.ts";
import { openRedisSocket } from "../../src/gateway/node/redis/open-redis-socket.ts";
import { createReplyReader, writeCommand } from "../../src/gateway/node/redis/reply-reader.ts";
import type { RedisReply } from "../../src/gateway/node/redis/reply-reader.ts";

export const redis = requires("redis-server");
/** Looks like no secret, since it is none. */
export const testPassword = "not-a-real-password";

/** A real Redis on a port of its own. */
export interface TestRedis {
  readonly port: number;
  readonly process: ChildProcess;
  /** kill -9 */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
  /** Runs one command, as redis-cli does. */
  ask(...command: string[]): Promise<RedisReply>;
}

/** Starts a Redis that keeps nothing on disk. @param tls listens for TLS only, with the tests' certificate */
export async function startRedis(
  context: Pick<TestContext, "after">,
  { tls = false, password }: { tls?: boolean; password?: string } = {},
): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-redis-"));
  const port = await freePort();
  const own: string[] = tls ? [`tls-port ${port}`, "port 0", ...writeCertificate(folder)] : [`port ${port}`];
  const lines = [...own, "bind 127.0.0.1", 'save ""', "appendonly no", `dir ${folder}`];
  if (password !== undefined) lines.push(`requirepass ${password}`);
  writeFileSync(join(folder, "redis.conf"), `${lines.join("\n")}\n`);
  let child = await start(join(folder, "redis.conf"));
  context.after(async () => {
    await endChild(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    port,
    get process() {
      return child;
    },
    kill: () => endChild(child, "SIGKILL"),
    async restart() {
      await endChild(child, "SIGKILL");
      child = await start(join(folder, "redis.conf"));
    },
    ask: (...command) => ask(port, command),
  };
}

function writeCertificate(folder: string): string[] {
  const files = {
    "tls-cert-file": certificate.cert,
    "tls-key-file": certificate.key,
    "tls-ca-cert-file": certificate.ca,
  };
  return [
    "tls-auth-clients no",
    ...Object.entries(files).map(([option, text]) => {
      writeFileSync(join(folder, option), text);
      return `${option} ${join(folder, option)}`;
    }),
  ];
}

async function start(configuration: string): Promise<ChildProcess> {
  const child = spawn(redis.path, [configuration], { stdio: ["ignore", "pipe", "inherit"] });
  await untilLine(child.stdout, "Ready to accept connections");
  return child;
}

async function ask(port: number, command: string[]): Promise<RedisReply> {
  const socket = await openRedisSocket(new URL(`redis://127.0.0.1:${port}`), undefined);
  const reader = createReplyReader();
  socket.write(writeCommand(...command));
  try {
    for await (const part of socket as AsyncIterable<Uint8Array>) {
      const [reply] = reader.push(part);
      if (reply !== undefined) return reply;
    }
    return null;
  } finally {
    socket.destroy();
  }
}
