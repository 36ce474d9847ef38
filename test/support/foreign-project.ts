import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { command } from "./command.ts";
import { keepCode, lendCode } from "./domain-code.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Makes a folder inside the repository, where `curtainwall` means its source. */
export function makeFolder(context: TestContext): string {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "foreign-"));
  lendCode(root);
  context.after(() => {
    keepCode(root);
    rmSync(root, { recursive: true, force: true });
  });
  return root;
}

/** Writes files by their paths. */
export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

/** A port that is free just now: an origin names it before anything listens. */
export async function freePort(): Promise<number> {
  const server = createSocket();
  await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts an API that greets; returns where. */
export async function startGreeter(context: TestContext): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end('{"greeting":"Good tide to you"}'),
  );
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A contract with a foreign site, and the greeter behind it. */
export function contractOf({ port, api, site }: { port: number; api: string; site: string }): string {
  const zod = JSON.stringify(join(repository, "node_modules/zod/index.js"));
  return `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from ${zod};
export default defineStack({
  origin: "https://localhost:${port}",
  site: ${site},
  edge: { threads: 1, redirectPort: false },
  upstreams: { greeter: upstream({ url: "${api}", insecureAllowHttp: "listens on loopback only" }) },
  routes: {
    "GET /api/greeting": {
      access: everyone, limit: "60/min per client", response: z.object({ greeting: z.string() }), to: "greeter",
    },
  },
});
`;
}

/** A command of the site that runs. */
export interface RunningCommand {
  readonly child: ChildProcess;
  /** Resolves when it has written this to stderr; rejects if it ends before. */
  said(words: string): Promise<void>;
  readonly done: Promise<{ code: number | null; out: string; words: string }>;
}

/** Runs `curtainwall …` in a folder. */
export function curtainwall(root: string, ...args: string[]): RunningCommand {
  const child = spawn(process.execPath, [...command, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let out = "";
  let words = "";
  const waiting = new Map<string, () => void>();
  child.stdout.on("data", (chunk: Buffer) => (out += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => {
    words += String(chunk);
    for (const [text, resolve] of waiting) if (words.includes(text)) resolve();
  });
  const done = new Promise<{ code: number | null; out: string; words: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, out, words })),
  );
  return {
    child,
    done,
    said: (text) =>
      new Promise((resolve, reject) => {
        if (words.includes(text)) return resolve();
        waiting.set(text, resolve);
        void done.then(() => reject(new Error(`it ended without ${JSON.stringify(text)}: ${words}`)));
      }),
  };
}
