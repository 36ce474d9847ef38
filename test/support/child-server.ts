import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Waits for a line by which a server says that it is there, and reads on after it, to nobody. */
export async function untilLine(output: Readable | null, text: string): Promise<void> {
  if (output === null) throw new Error("no output");
  const lines: string[] = [];
  for await (const line of createInterface({ input: output })) {
    lines.push(line);
    if (!line.includes(text)) continue;
    output.resume();
    return;
  }
  throw new Error(`it did not start: ${lines.join("\n")}`);
}

/** Ends a process that may have ended, and waits for that. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

/** A port that nobody listens on now, for servers that can't choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
