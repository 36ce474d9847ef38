import type * as childProcess from "node:child_process";
import type * as http from "node:http";
import type * as net from "node:net";
import type * as sqlite from "node:sqlite";
import { load } from "./attempts.ts";
import type { Attempt } from "./attempts.ts";

// What Node offers to an attacker beside what every runtime does.

/** What Node has and its types don't tell. */
interface Inside {
  binding(name: string): object;
  _linkedBinding(name: string): object;
  dlopen(module: object, file: string): void;
  execve(file: string, parameters: readonly string[], environment: object): void;
  _debugProcess(pid: number): void;
}

const inside = (): Inside => globalThis.process as unknown as Inside;

/** Says to egress what it likes, past the function's own `fetch`. */
async function askEgress(target: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const { request } = await load<typeof http>("node:http");
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: "/egress.sock", path: target, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode,
          headers: answer.headers,
          body: Buffer.concat(parts).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function connectTo(path: string): Promise<unknown> {
  const { connect } = await load<typeof net>("node:net");
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve("it is connected"));
    socket.on("error", reject);
  });
}

/** All of them, by name. */
export const attemptsInNode: Readonly<Record<string, Attempt>> = {
  "node-binding": {
    says: "reach into Node by process.binding",
    proof: /reached/,
    run: async () => Promise.resolve(`reached ${Object.keys(inside().binding("pipe_wrap")).join()}`),
  },
  "node-linked-binding": {
    says: "reach into Node by process._linkedBinding",
    proof: /reached/,
    run: async () => Promise.resolve(`reached ${Object.keys(inside()._linkedBinding("pipe_wrap")).join()}`),
  },
  "node-dlopen": {
    says: "load native code",
    proof: /loaded/,
    run: async () => {
      inside().dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6");
      return Promise.resolve("loaded");
    },
  },
  "node-ffi": {
    says: "call the C library",
    proof: /called/,
    run: async () => {
      const ffi = await load<{ dlopen(file: null, functions: object): object }>("node:ffi");
      return `called ${Object.keys(ffi.dlopen(null, { getpid: { result: "i32", parameters: [] } })).join()}`;
    },
  },
  "node-execve": {
    says: "put another program into its place",
    proof: /it goes on/,
    run: async () => {
      inside().execve("/node", ["/node", "--eval", "1"], {});
      return Promise.resolve("it goes on");
    },
  },
  "node-fork": {
    says: "start itself again",
    proof: /started/,
    run: async () => {
      const { spawnSync } = await load<typeof childProcess>("node:child_process");
      const { error, pid } = spawnSync("/node", ["--version"]);
      if (error !== undefined) throw error;
      return `started ${pid}`;
    },
  },
  "node-signal": {
    says: "stop who started it, and end everybody else",
    proof: /sent/,
    run: async () => {
      const { ppid, kill } = globalThis.process;
      kill(ppid, "SIGSTOP");
      kill(-1, "SIGKILL");
      return Promise.resolve("sent");
    },
  },
  "node-debugger": {
    says: "open a debugger by a signal",
    proof: /sent/,
    run: async () => {
      inside()._debugProcess(1);
      return Promise.resolve("sent");
    },
  },
  "node-sqlite": {
    says: "read the vault's file by SQLite, which asks nobody",
    proof: /"name":/,
    run: async () => {
      const { DatabaseSync } = await load<typeof sqlite>("node:sqlite");
      const database = new DatabaseSync(":memory:");
      database.exec("attach '../../.curtainwall/vault/development.db' as vault");
      return database.prepare("select name from vault.sqlite_master").all();
    },
  },
  "node-abstract-socket": {
    says: "find a service of the machine's without a path",
    proof: /it is connected/,
    run: () => connectTo("\0/tmp/.X11-unix/X0"),
  },
  "node-host-socket": {
    says: "find a service of the machine's by its path",
    proof: /it is connected/,
    run: async () => Promise.any(["/run/dbus/system_bus_socket", "/run/docker.sock"].map(connectTo)),
  },
  "node-egress-as-another": {
    says: "tell egress, past its own fetch, that it is another function",
    proof: /"status":2\d\d/,
    run: (s) =>
      askEgress(new URL("/v1/quotes?postcode=BS1&grams=1", s.courier).href, {
        "x-curtainwall-function": "neighbour",
      }),
  },
  "node-egress-path": {
    says: "ask egress, past its own fetch, for more than it may",
    proof: /"status":2\d\d/,
    run: (s) => askEgress(`${s.courier}/v1/quotes/../invoices`, { "x-curtainwall-function": "thief-node" }),
  },
};
