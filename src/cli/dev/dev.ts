import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "../command.ts";
import { againCodes } from "./again-codes.ts";
import { exitCodes, say, styled } from "../voice.ts";

/** Says that this process is the one that works. The other starts it again, since a contract is read once a process. */
const innerMark = "CURTAINWALL_DEV_INNER";

export const devCommand: Command = {
  name: "dev",
  usage: "[folder]",
  summary: "Build and serve a site, and follow every change of it",
  options: {},
  notes: [
    "A changed function is bundled, started alone, signed and swapped in; requests under way are answered by the one before. What fails is told,",
    "and what was there goes on. A changed contract starts everything again, once it is approved. What functions may not send, and what fails, is",
    "told with the line of the contract that helps. For a site whose keys are its own: the contract pins none, or this machine can't sign what",
    "changed.",
  ],
  async run({ positionals }) {
    const path = positionals[0] ?? ".";
    if (process.env[innerMark] === undefined) return keepRunning(path);
    // Whoever kills the other one, which has no say in it then, means this one: nobody else would end it, or give its port free.
    process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
    process.channel?.unref();
    return (await import("./develop.ts")).develop(path);
  },
};

/** Runs the same command in another process, again whenever it asks for that. */
async function keepRunning(path: string): Promise<number> {
  let stopping = false;
  for (let hasServed = false; ;) {
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...process.env, [innerMark]: "1" },
    });
    const stop = (): void => {
      stopping = true;
      child.kill("SIGTERM");
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    const [code] = (await once(child, "exit")) as [number | null];
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, stop);
    hasServed ||= code === againCodes.now;
    // A signal that it did not wait for ends it, too, and was meant to.
    if (stopping) return code ?? exitCodes.done;
    if (!hasServed && code !== againCodes.mended) return code ?? exitCodes.failed;
    if (code !== againCodes.now && !(await untilChanged(path))) return exitCodes.done;
  }
}

/** False: the process is to end instead. */
async function untilChanged(path: string): Promise<boolean> {
  const [{ stopRequest }, { watchProject }] = await Promise.all([
    import("../../stack/index.ts"),
    import("./watch-project.ts"),
  ]);
  const changed = Promise.withResolvers<boolean>();
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const unwatch = watchProject(folder, () => changed.resolve(true));
  // Said once it is so: whoever reads it may change something at once.
  say(styled("dim", "Nothing is served now; the next change is tried"));
  const isChanged = await Promise.race([changed.promise, stopRequest().then(() => false)]);
  unwatch();
  return isChanged;
}
