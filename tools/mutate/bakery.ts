import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand, startProgram } from "./processes.ts";
import type { Program, Surroundings } from "./processes.ts";
import type { HostMessage } from "./host.ts";
import type { Tree } from "./tree.ts";

/** Whom the example works with. */
export type ServiceName = "shop" | "login" | "others";
export const serviceNames: readonly ServiceName[] = ["shop", "login", "others"];

/** Why something did not come to be. With a code, the tool refused it; without, it crashed, or took too long. */
export interface Problem {
  readonly code?: string;
  readonly words: string;
}

/** The example in one tree, in parts that can be started by themselves. */
export interface Bakery {
  readonly surroundings: Surroundings;
  readonly state: string;
  startServices(names: readonly ServiceName[]): Promise<Problem | undefined>;
  stopServices(names: readonly ServiceName[]): Promise<void>;
  /** Builds the site, from nothing. */
  build(): Promise<Problem | undefined>;
  /** Puts what the others issued into a vault that is made anew. */
  giveKeys(): Promise<Problem | undefined>;
  startStack(): Promise<Problem | undefined>;
  startAuditor(): Program;
  stopStack(): Promise<void>;
  /** Ends everything. From here on nothing is started. */
  close(): Promise<void>;
}

const startMs = 45_000;
const buildMs = 90_000;

type ServiceMessage = { kind: "ready" } | { kind: "failed"; message: string };

/** Opens the example of a tree. Six ports: the site, then the services, as its settings name them. */
export function openBakery(tree: Tree, { ports, logFile, code }: BakeryPlaces): Bakery {
  const surroundings: Surroundings = {
    folder: tree.folder,
    environment: environmentOf(ports, code),
    logFile,
  };
  const state = join(tree.bakery, ".curtainwall");
  const services = new Map<ServiceName, Program>();
  let host: Program | undefined;
  const running = new Set<Program>();
  let isClosed = false;
  const start = (file: string): Program => {
    if (isClosed) throw new Error("it was stopped");
    const program = startProgram(file, surroundings);
    running.add(program);
    return program;
  };
  const end = async (program: Program | undefined): Promise<void> => {
    if (program === undefined) return;
    await program.end();
    running.delete(program);
  };
  const command = async (
    parameters: readonly string[],
    milliseconds: number,
    input?: string,
  ): Promise<Problem | undefined> => {
    if (isClosed) throw new Error("it was stopped");
    const { code: exit, words } = await runCommand(parameters, surroundings, {
      milliseconds,
      ...(input === undefined ? {} : { input }),
    });
    return exit === 0 ? undefined : problemIn(words);
  };
  const stopServices = async (names: readonly ServiceName[]): Promise<void> => {
    await Promise.all(
      names.map(async (name) => {
        await end(services.get(name));
        services.delete(name);
      }),
    );
  };
  return {
    surroundings,
    state,
    startAuditor: () => start(join(tree.folder, "tools/mutate/auditor.ts")),
    async startServices(names) {
      const problems = await Promise.all(
        names.map(async (name) => {
          const program = start(join(tree.bakery, name, "main.ts"));
          services.set(name, program);
          const message = await program.next<ServiceMessage>(startMs);
          if (message?.kind === "ready") return undefined;
          return { words: `${name} did not start: ${message?.message ?? "it ended, or took too long"}` };
        }),
      );
      return problems.find((problem) => problem !== undefined);
    },
    stopServices,
    build() {
      rmSync(join(state, "cache"), { recursive: true, force: true });
      return command(["build", tree.bakery], buildMs);
    },
    async giveKeys() {
      rmSync(join(state, "vault"), { recursive: true, force: true });
      const file = join(state, "example/issued-keys.json");
      if (!existsSync(file)) return { words: "the others issued no keys" };
      const { courier, mail, shop, till } = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
      const keys = { DELIVERY_KEY: courier, MAIL_KEY: mail, SHOP_KEY: shop, TILL_KEY: till };
      for (const [name, value] of Object.entries(keys)) {
        const problem = await command(["secret", "set", name, tree.bakery], startMs, value);
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    async startStack() {
      host = start(join(tree.folder, "tools/mutate/host.ts"));
      const message = await host.next<HostMessage>(startMs);
      if (message?.kind === "ready") return undefined;
      if (message?.kind === "refused") return { code: message.code, words: message.message };
      return { words: message?.message ?? "the stack ended, or did not start in time" };
    },
    async stopStack() {
      await end(host);
      host = undefined;
    },
    async close() {
      isClosed = true;
      // The stack first, so that what it has begun to answer can be answered.
      await end(host);
      await Promise.all([...running].map(end));
    },
  };
}

export interface BakeryPlaces {
  readonly ports: readonly number[];
  readonly logFile: string;
  /** Where compiled code is kept. */
  readonly code: string;
}

/** Nothing of this machine's environment that a run could depend on. */
function environmentOf(
  [port, shop, login, courier, mail, till]: readonly number[],
  code: string,
): NodeJS.ProcessEnv {
  mkdirSync(code, { recursive: true });
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    ...(LANG === undefined ? {} : { LANG }),
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    NODE_COMPILE_CACHE: code,
    BAKERY_ORIGIN: `https://localhost:${port}`,
    BAKERY_SHOP_PORT: String(shop),
    BAKERY_LOGIN_PORT: String(login),
    BAKERY_COURIER_PORT: String(courier),
    BAKERY_MAIL_PORT: String(mail),
    BAKERY_TILL_PORT: String(till),
  };
}

/** A refusal begins with its code; a crash has none. */
function problemIn(words: string): Problem {
  const line = words.split("\n").findLast((text) => /^[A-Z]+_[A-Z_]+ {2}/.test(text));
  const code = /^[A-Z_]+/.exec(line ?? "")?.[0];
  return code === undefined ? { words: words.trim().slice(-1500) } : { code, words: line ?? "" };
}
