import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const lowest = 12_000;

/**
 * Ports that nobody listened on a moment ago, on both of loopback's addresses. The kernel gives none of them to a connection: of those that it does give, an
 * attack's thousands of connections take one that a stack wants back when it is started anew.
 */
export async function freePorts(count: number): Promise<number[]> {
  const beyond = Math.max(lowest + 1000, firstOfConnections());
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < 1000; tries++) {
    const port = randomInt(lowest, beyond);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size < count) throw new Error(`no ${count} ports are free from ${lowest} to ${beyond}`);
  return [...found];
}

function firstOfConnections(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    // Linux' own default.
    return 32_768;
  }
}

async function isFree(port: number): Promise<boolean> {
  const answers = await Promise.all(["127.0.0.1", "::1"].map((host) => canListen(host, port)));
  return answers.every(Boolean);
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "EADDRINUSE"));
    server.listen(port, host, () => void server.close(() => resolve(true)));
  });
}
