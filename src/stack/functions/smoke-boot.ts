import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pingPath } from "../../functions/index.ts";
import type { FunctionsErrorCode } from "../../functions/index.ts";
import { evalHint, mapStack } from "../../functions/node.ts";
import { CurtainwallError, printable } from "../../shared/index.ts";
import { openHeldListeners } from "../processes/held-listeners.ts";
import { findIsolation, jailUser } from "../isolation/isolation.ts";
import { openRunFolder } from "../processes/run-folder.ts";
import { canSandbox } from "./engine-for.ts";
import type { GroupEngine } from "./group-engine.ts";
import { launchGroup } from "./launch-group.ts";

/** Options of {@link smokeBoot}. */
export interface SmokeBootOptions {
  readonly name: string;
  /** What runs it, with its bundle alone. */
  readonly engine: GroupEngine;
  readonly map: string;
  readonly memoryMb: number;
  /** The site's folder, which decides the user. */
  readonly root: string;
  /** How long it may take to answer, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** Lines of its output that an error tells. */
const toldLines = 20;

/**
 * Starts a bundle alone, in the sandbox that it will run in and with no way out of it, and waits until it answers. One function that throws
 * or loops while it is loaded would take its whole group along.
 *
 * @throws {CurtainwallError} `FUNCTIONS_BOOT_FAILED`, with what it said
 */
export async function smokeBoot({
  name,
  engine,
  map,
  memoryMb,
  root,
  timeoutMs = 10_000,
}: SmokeBootOptions): Promise<void> {
  const folder = openRunFolder(`${root}#boot-${name}`);
  const user = findIsolation() === "uid" ? jailUser(root) : undefined;
  const held = await openHeldListeners([{ name, path: join(folder.path, "boot") }]);
  const lines: string[] = [];
  const group = launchGroup({
    engine,
    user,
    isSandboxed: canSandbox(),
    listenerFd: held.fd(name),
    memoryMb,
    onLine: (line) => void (lines.length < 200 && lines.push(line)),
  });
  const stop = new AbortController();
  try {
    const how = await Promise.race([
      answers(held.path(name), name, stop.signal),
      group.exited.then((reason) => `ended (${reason})`),
      sleep(
        timeoutMs,
        `did not answer within ${timeoutMs / 1000} s: it may loop, or wait, while it is loaded`,
        {
          signal: stop.signal,
        },
      ),
    ]);
    if (how !== undefined) throw bootFailed(name, how, mapStack(lines.slice(0, toldLines).join("\n"), map));
  } finally {
    stop.abort();
    group.kill();
    await group.exited;
    await held.close();
    folder.remove();
  }
}

/** Undefined: it answered as it should. */
function answers(socketPath: string, name: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: pingPath(name), signal }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 204 ? undefined : `answered a ping with ${answer.statusCode}`);
    });
    // It ended, which is noticed elsewhere, or is not waited for any more.
    asked.on("error", () => undefined);
    asked.end();
  });
}

function bootFailed(name: string, how: string, output: string): CurtainwallError<FunctionsErrorCode> {
  const said = output
    .split("\n")
    .map((line) => `\n  ${printable(line)}`)
    .join("");
  const needsEval = /Code generation from strings disallowed|EvalError/.test(output);
  return new CurtainwallError(
    "FUNCTIONS_BOOT_FAILED",
    `The function ${name} does not start: it ${how}.${output === "" ? "" : said}`,
    {
      hint: needsEval
        ? evalHint(name)
        : `See what functions/${name} does while it is loaded; nothing was published`,
    },
  );
}
