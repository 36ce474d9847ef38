import { flushCompileCache } from "node:module";
import type { RunningStack, StackLogEntry } from "../stack/node.ts";
import { recordFiles } from "./build/build-record.ts";
import type { Command } from "./command.ts";
import { environmentNamed } from "./secret/environment-named.ts";
import { keepCompiled } from "./build/keep-compiled.ts";
import { askVaultPassphrase } from "./secret/passphrase.ts";
import { say, styled } from "./voice.ts";

export const startCommand: Command = {
  name: "start",
  usage: "[folder] [--frozen] [--environment <name>] [--verbose]",
  summary: "Serve the release over HTTPS, and the API through the gateway",
  options: {
    frozen: { type: "boolean", says: "serve only what the lock says that somebody approved" },
    environment: {
      type: "string",
      says: "whose secrets: development, preview or production; by default development for an origin on loopback, else production",
    },
    verbose: { type: "boolean", says: "show whole stacks of what functions throw, not only where" },
    "passphrase-fd": { type: "string", says: "read the vault's passphrase from this descriptor" },
  },
  notes: [
    "Ctrl-C or SIGTERM stops it after requests in flight are answered; SIGHUP reads the certificate's files again.",
    "A vault that a passphrase opens asks for it on a terminal, or reads it from stdin.",
  ],
  async run({ positionals, flags, values }) {
    const path = positionals[0] ?? ".";
    keepCompiled(recordFiles(path));
    const { describeIsolation, startStack, stopRequest } = await import("../stack/node.ts");
    const environment = environmentNamed(values.get("environment"), startCommand);
    const stack = await startStack({
      path,
      log: flags.has("verbose") ? sayEntry : sayBriefly,
      frozen: flags.has("frozen"),
      askPassphrase: (name) => askVaultPassphrase(name, values.get("passphrase-fd")),
      ...(environment === undefined ? {} : { environment }),
    });
    const asked = stopRequest();
    say(
      `${styled("green", "serving")} ${address(stack)}  ${styled("dim", `(${stack.addresses.join(", ")}; ${describeIsolation(stack.isolation)})`)}`,
    );
    // A stack that is killed writes nothing.
    flushCompileCache();
    process.on("SIGHUP", () => void stack.reloadCertificate());
    await asked;
    sayStopping();
    await stack.close();
    return 0;
  },
};

/** A stop may take as long as a request in flight: whoever pressed Ctrl-C is told that it was heard. */
export function sayStopping(): void {
  say(styled("dim", "stopping: requests in flight are answered first …"));
}

/** Where a visitor finds a stack: its origin, with the port that it really has. */
export function address(stack: Pick<RunningStack, "origin" | "port">): string {
  const url = new URL(stack.origin);
  url.port = String(stack.port);
  return url.origin;
}

/** Writes what whoever only watches wants to know: of an error the line that says where it was thrown. */
function sayBriefly(entry: StackLogEntry): void {
  if (entry.level !== "trace") sayEntry(entry);
}

/** Writes one line of the stack's log. */
export function sayEntry({ from, level, message }: StackLogEntry): void {
  const style = level === "error" ? "red" : level === "warning" ? "yellow" : "dim";
  say(`${styled("dim", new Date().toISOString())} ${from} ${styled(style, message)}`);
}
