import { flushCompileCache } from "node:module";
import type { RunningStack, StackLogEntry } from "../stack/node.ts";
import { recordFiles } from "./build-record.ts";
import type { Command } from "./command.ts";
import { keepCompiled } from "./keep-compiled.ts";
import { say, styled } from "./voice.ts";

export const startCommand: Command = {
  name: "start",
  usage: "[folder] [--frozen]",
  summary: "Serve the release over HTTPS, and the API through the gateway",
  options: {
    frozen: { type: "boolean", says: "serve only what the lock says that somebody approved" },
  },
  notes: [
    "Ctrl-C or SIGTERM stops it after requests in flight are answered; SIGHUP reads the certificate's files again.",
  ],
  async run({ positionals, flags }) {
    const path = positionals[0] ?? ".";
    keepCompiled(recordFiles(path));
    const { describeIsolation, startStack, stopRequest } = await import("../stack/node.ts");
    const stack = await startStack({ path, log: sayEntry, frozen: flags.has("frozen") });
    const asked = stopRequest();
    say(
      `${styled("green", "serving")} ${address(stack)}  ${styled("dim", `(${stack.addresses.join(", ")}; ${describeIsolation(stack.isolation)})`)}`,
    );
    // A stack that is killed writes nothing.
    flushCompileCache();
    process.on("SIGHUP", () => void stack.reloadCertificate());
    await asked;
    await stack.close();
    return 0;
  },
};

/** Where a visitor finds a stack: its origin, with the port that it really has. */
export function address(stack: Pick<RunningStack, "origin" | "port">): string {
  const url = new URL(stack.origin);
  url.port = String(stack.port);
  return url.origin;
}

/** Writes one line of the stack's log. */
export function sayEntry({ from, level, message }: StackLogEntry): void {
  const style = level === "error" ? "red" : level === "warning" ? "yellow" : "dim";
  say(`${styled("dim", new Date().toISOString())} ${from} ${styled(style, message)}`);
}
