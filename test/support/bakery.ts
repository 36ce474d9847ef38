import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../tools/mutate/free-ports.ts";
import { alone } from "./alone.ts";

/** The repository's folder. */
export const repository: string = fileURLToPath(new URL("../..", import.meta.url));

/** A bakery that `npm start` opened. */
export interface OpenBakery {
  npm: ChildProcess;
  port: number;
  /** Variables that lead another command to the same bakery. */
  environment: NodeJS.ProcessEnv;
  /** Resolves when it has said something like this. */
  said(pattern: RegExp): Promise<void>;
  /** Ids of all processes below npm's, npm included. */
  family: number[];
}

/** Runs `npm start` on free ports, and waits until it says what to try. One test file at a time: there is one example, and its state is beside it. */
export async function npmStart(): Promise<OpenBakery> {
  await alone("example");
  const [port, shop, login, courier, mail, till] = await freePorts(6);
  const environment = {
    ...process.env,
    NODE_OPTIONS: "",
    BAKERY_ORIGIN: `https://localhost:${port}`,
    BAKERY_SHOP_PORT: String(shop),
    BAKERY_LOGIN_PORT: String(login),
    BAKERY_COURIER_PORT: String(courier),
    BAKERY_MAIL_PORT: String(mail),
    BAKERY_TILL_PORT: String(till),
  };
  const npm = spawn("npm", ["start"], {
    cwd: repository,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const said = (pattern: RegExp): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(output)) resolve();
      };
      look();
      npm.stdout.on("data", look);
      npm.stderr.on("data", look);
      npm.once("exit", () => reject(new Error(`npm start ended:\n${output}`)));
    });
  const listen = (chunk: Buffer): void => void (output += String(chunk));
  npm.stdout.on("data", listen);
  npm.stderr.on("data", listen);
  await said(/What to try/);
  return {
    npm,
    port: port as number,
    environment,
    said,
    family: [npm.pid as number, ...descendants(npm.pid as number)],
  };
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" "))
    .filter((text) => text !== "")
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** A zombie is dead: PID 1 of some containers never collects them. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until all of these have ended; returns those that have not after a minute. */
export async function survivors(pids: readonly number[]): Promise<number[]> {
  const deadline = Date.now() + 60_000;
  while (pids.some(isAlive) && Date.now() < deadline) await pause(50);
  return pids.filter(isAlive);
}
