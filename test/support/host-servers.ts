import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { request as requestHttps } from "node:https";
import { connect as connectNet } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Release } from "../../src/contract/index.ts";
import { createEdgeServer, developmentCertificate } from "../../src/edge/index.ts";
import { siteOfRelease } from "../../src/hosts/index.ts";
import type { DeclaredSite, Emission } from "../../src/hosts/index.ts";

/** Servers that serve one release: our edge, and others by the files that were emitted for them. */

export const hostname = "site.test";
const certificates = mkdtempSync(join(tmpdir(), "cw-hosts-ca-"));
process.on("exit", () => rmSync(certificates, { recursive: true, force: true }));
export const certificate = await developmentCertificate({ folder: certificates, hosts: [hostname] });

/** Where a server listens. */
export type Door = { readonly port: number } | { readonly socketPath: string };

/** A folder that is deleted after the test. Its path is short: sockets' names are at most 107 bytes. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cw-hosts-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A release as `hosts` wants it. */
export const declaredSite = (release: Release, origin = `https://${hostname}`): DeclaredSite =>
  siteOfRelease(release.manifest, origin);

/** Writes what was emitted, and the release's bytes where it wants them. */
export function writeEmission(folder: string, emission: Emission, release: Release): void {
  const write = (path: string, data: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), data);
  };
  for (const { path, text } of emission.files) write(path, text);
  const files = new Map(release.manifest.files.map((file) => [file.path, file]));
  for (const { file, path, encoding } of emission.placements) {
    const variant = files.get(path)?.variants.find((one) => one.encoding === encoding);
    if (variant === undefined) throw new Error(`${path} has no ${encoding}`);
    write(file, release.body.subarray(variant.offset, variant.offset + variant.length));
  }
}

/** Starts our edge. */
export async function startEdge(context: TestContext, release: Release): Promise<Door> {
  const edge = createEdgeServer({ release, origin: `https://${hostname}`, certificate });
  const { port } = await edge.listen({ host: "127.0.0.1", port: 0 });
  context.after(() => edge.close(0));
  return { port };
}

/** Starts a server as a child, and resolves when its socket answers. */
async function startProgram(
  context: TestContext,
  program: string,
  args: readonly string[],
  { folder, socketPath }: { folder: string; socketPath: string },
): Promise<Door> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  context.after(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  while (!(await answers(socketPath))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}:\n${words}`);
    await pause(5);
  }
  return { socketPath };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectNet(path);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.end());
  });
}

/** Starts nginx with an emission that lies in the folder, in the foreground and as one process. */
export function startNginx(context: TestContext, program: string, folder: string): Promise<Door> {
  writeFileSync(join(folder, "main.conf"), nginxMain(folder));
  const args = ["-p", folder, "-e", "stderr", "-c", join(folder, "main.conf")];
  return startProgram(context, program, args, { folder, socketPath: join(folder, "s") });
}

/** What surrounds an emission: nothing that it relies on. */
export function nginxMain(folder: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/tmp-${name};`)
    .join(" ");
  return `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn; events {}
http { access_log off; ${temporary} include ${folder}/nginx/site.conf; }\n`;
}

/** An answer with its headers as they were sent, sorted: a repeated one stands there twice. */
export interface HostAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface HostRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes one request over HTTP/1.1. */
export function ask(door: Door, { path, method = "GET", headers = {} }: HostRequest): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = requestHttps({
      ...("port" in door ? { host: "127.0.0.1", port: door.port } : { socketPath: door.socketPath }),
      servername: hostname,
      ca: certificate.ca,
      agent: false,
      maxHeaderSize: 256 * 1024,
      method,
      path,
      headers: { host: hostname, ...headers },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: pairs(response.rawHeaders),
          body: Buffer.concat(chunks),
        }),
      );
    });
    outgoing.end();
  });
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) found.push([(raw[at] ?? "").toLowerCase(), raw[at + 1] ?? ""]);
  return found.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

/** Opens an HTTP/2 session. */
export function openHttp2(context: TestContext, door: Door): ClientHttp2Session {
  const session = connectHttp2(`https://${hostname}`, {
    maxHeaderListPairs: 1000,
    settings: { maxHeaderListSize: 256 * 1024 },
    createConnection: () =>
      connectTls({
        ...("port" in door ? { host: "127.0.0.1", port: door.port } : { path: door.socketPath }),
        servername: hostname,
        ca: certificate.ca,
        ALPNProtocols: ["h2"],
      }),
  });
  context.after(() => session.destroy());
  return session;
}

/** Makes one request in a session. */
export function askHttp2(
  session: ClientHttp2Session,
  { path, method = "GET", headers = {} }: HostRequest,
): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, ":method": method, ...headers });
    const chunks: Buffer[] = [];
    let status = 0;
    let raw: string[] = [];
    stream.on("response", (fields, _flags, lines: string[]) => {
      status = Number(fields[":status"]);
      raw = lines;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () =>
      resolve({
        status,
        headers: pairs(raw).filter(([name]) => !name.startsWith(":")),
        body: Buffer.concat(chunks),
      }),
    );
    stream.end();
  });
}

/** Starts Caddy with an emission that lies in the folder. */
export function startCaddy(context: TestContext, program: string, folder: string): Promise<Door> {
  const args = ["run", "--config", join(folder, "caddy.json")];
  return startProgram(context, program, args, { folder, socketPath: join(folder, "s") });
}
