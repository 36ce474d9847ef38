import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

/** Real servers of other people, as upstreams behind the gateway. */

/** An authority, and certificates that it made, PEM. */
export interface TestAuthority {
  readonly ca: string;
  issue(name: string, extension?: string): { cert: string; key: string };
}

/** Makes an authority with openssl. */
export function makeAuthority(t: TestContext): TestAuthority {
  const folder = temporaryFolder(t);
  const run = (line: string): Buffer =>
    execFileSync("openssl", line.split(" "), { cwd: folder, stdio: "pipe" });
  const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  run(`req -x509 ${newKey} -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority`);
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  let count = 0;
  return {
    ca: read("ca.crt"),
    issue(name, extension = "extendedKeyUsage=clientAuth") {
      const file = `c${count++}`;
      writeFileSync(join(folder, "extensions"), extension);
      run(`req ${newKey} -keyout ${file}.key -out ${file}.csr -subj /CN=${name}`);
      run(`x509 -req -in ${file}.csr -CA ca.crt -CAkey ca.key -days 2 -extfile extensions -out ${file}.crt`);
      return { cert: read(`${file}.crt`), key: read(`${file}.key`) };
    },
  };
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cw-upstream-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server that listens, and can be told to read its configuration again. */
export interface UpstreamServer {
  readonly port: number;
  /** Ends the workers that there are once they have answered, and starts others. */
  reload(): Promise<void>;
}

/** Starts nginx with master and worker, on a port of its own. `http` is its configuration, with PORT in it. */
export async function startNginx(
  t: TestContext,
  program: string,
  http: string,
  folder = temporaryFolder(t),
): Promise<UpstreamServer> {
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/tmp-${name};`)
    .join(" ");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; ${user} worker_processes 1; pid ${folder}/pid; error_log stderr warn; events {}
http { access_log off; ${temporary} ${http.replaceAll("PORT", String(port))} }\n`,
  );
  const child = spawn(program, ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await untilListening(t, child, port);
  return {
    port,
    async reload() {
      child.kill("SIGHUP");
      await pause(30);
    },
  };
}

/** Starts HAProxy, on a port of its own. `lines` are what follows `bind`, with a backend. */
export async function startHaproxy(t: TestContext, program: string, lines: string): Promise<UpstreamServer> {
  const folder = temporaryFolder(t);
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global\n  log stderr local0\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend in\n  bind 127.0.0.1:${port}\n${lines}\n`,
  );
  const start = (...args: string[]): ChildProcess =>
    spawn(program, ["-db", "-f", file, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let child = start();
  await untilListening(t, child, port);
  return {
    port,
    async reload() {
      const before = child;
      child = start("-sf", String(before.pid));
      const { exitCode } = before;
      if (exitCode === null) await once(before, "exit");
      await untilListening(t, child, port);
    },
  };
}

async function untilListening(t: TestContext, child: ChildProcess, port: number): Promise<void> {
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => (words += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(words);
    await pause(5);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
