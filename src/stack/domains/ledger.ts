import { readSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { createLineSplitter, recordLine } from "../../ledger/index.ts";
import { openLogFile } from "../../ledger/node.ts";
import type { LogFile } from "../../ledger/node.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { openDomainControl } from "../control.ts";
import type { FromDomain, ToLedger } from "../messages.ts";
import { becomeUser } from "./become.ts";

// The ledger's process: reads events from the other domains' pipes and appends them to the log. It answers nobody.

const control = openDomainControl<ToLedger, FromDomain>();
let stop: () => void = () => process.exit(0);

control.onMessage((message) => {
  if (message.type === "configure") configure(message);
  else stop();
});
// A terminal's Ctrl-C goes to every process; the supervisor decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop());

function configure({ file, keep, sources, user }: Extract<ToLedger, { type: "configure" }>): void {
  try {
    // By its folder from now on: once root is given up, the folders above it may be out of reach, and a full file must still be
    // moved out of the way.
    process.chdir(dirname(file));
    const log = openLogFile({
      path: basename(file),
      ...keep,
      owner: user,
      onError: (error) => console.error(`${error.code} ${error.message} ${error.hint ?? ""}`),
    });
    flushCompileCache();
    becomeUser(user);
    const drains = sources.map(({ name, fd }) => readSource(name, fd, log));
    stop = () => {
      for (const drain of drains) drain();
      void log.close().finally(() => process.exit(0));
    };
    control.send({ type: "ready" });
  } catch (error) {
    const known = isCurtainwallError(error) ? error : undefined;
    control.send({
      type: "failed",
      code: known?.code ?? "STACK_DOMAIN_FAILED",
      message: (error as Error).message,
      hint: known?.hint,
    });
  }
}

/** Reads one domain's pipe. Returns what reads the rest of it at the end. */
function readSource(name: string, fd: number, log: LogFile): () => void {
  const splitter = createLineSplitter((line) => {
    if (line === undefined || line.length > 0) log.append(recordLine(line, name, Date.now()));
  });
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on("error", () => undefined);
  pipe.on("data", (bytes: Buffer) => splitter.push(bytes));
  return () => {
    pipe.pause();
    const bytes = Buffer.alloc(65_536);
    try {
      for (let count = readSync(fd, bytes); count > 0; count = readSync(fd, bytes))
        splitter.push(bytes.subarray(0, count));
    } catch {
      // EAGAIN: the pipe is empty.
    }
  };
}
