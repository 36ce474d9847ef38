import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import type { Socket } from "node:net";
import { availableParallelism } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { CurtainwallError } from "../../shared/index.ts";
import { openControl } from "./control.ts";
import type { ControlChannel } from "./control.ts";
import { sandboxArguments } from "../isolation/isolation.ts";
import { withCleanDescriptors } from "../jail/clean-descriptors.ts";
import { sendFilter } from "../jail/filter/hand-over.ts";
import { findSystemProgram } from "../jail/system-program.ts";
import { noCoreDump } from "../isolation/no-core-dump.ts";
import type { DomainName, Isolation, SandboxView } from "../isolation/isolation.ts";
import type { FromDomain } from "./messages.ts";
import { mayUnshareNetwork } from "../isolation/may-unshare.ts";
import { splitLines } from "./safe-lines.ts";

/** Options of {@link launchDomain}. */
export interface LaunchOptions {
  readonly domain: DomainName;
  readonly isolation: Isolation;
  /** Descriptors that it inherits, from 4 on; 3 is its control channel. `pipe`: a new one, see {@link DomainProcess.pipe}. */
  readonly fds: readonly (number | "pipe")[];
  /** What its sandbox shows it, beside the program itself. */
  readonly view: SandboxView;
  /** Environment variables that it gets; no others. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where compiled code is kept, if anywhere. */
  readonly codeCache?: string | undefined;
  /** One line that it wrote to its output. */
  readonly onLine: (line: string) => void;
}

/** A running domain. */
export interface DomainProcess<To> {
  readonly pid: number;
  readonly control: ControlChannel<FromDomain, To>;
  /** Our end of the pipe that it was given, if it was. */
  readonly pipe: Socket | undefined;
  /** Resolves when it has ended, with how. */
  readonly exited: Promise<string>;
  kill(): void;
}

/** The first descriptor after those of {@link LaunchOptions.fds}' predecessors. */
export const firstInheritedFd = 4;

/** No code from strings, no debugger by signal: what runs in a domain is what was loaded. */
const hardening = [
  "--disallow-code-generation-from-strings",
  "--disable-sigusr1",
  "--no-addons",
  "--disable-warning=ExperimentalWarning",
];

/** Starts a domain's process. It waits for its configuration on the control channel. */
export function launchDomain<To extends { type: string }>({
  domain,
  isolation,
  fds,
  view,
  environment,
  codeCache,
  onLine,
}: LaunchOptions): DomainProcess<To> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const entry = fileURLToPath(new URL(`../domains/${domain}.${extension}`, import.meta.url));
  const node = realpathSync(process.execPath);
  const command = [node, ...hardening, ...conditions(), entry];
  const filterFd = firstInheritedFd + fds.length;
  const program =
    isolation === "bwrap"
      ? [
          findSystemProgram("bwrap") ?? "bwrap",
          ...sandboxArguments(
            { ...view, readOnly: [...programPaths(node, entry), ...view.readOnly] },
            filterFd,
          ),
          ...command,
        ]
      : [...(isolation === "uid" && !view.network && domain !== "ledger" ? ownNetwork() : []), ...command];
  const [file = "", ...parameters] = [...limits(), ...program];
  const channels = isolation === "bwrap" ? (["pipe"] as const) : [];
  const child = withCleanDescriptors(["ignore", "pipe", "pipe", "pipe", ...fds, ...channels], (stdio) =>
    spawn(file, parameters, {
      stdio,
      env: {
        ...environment,
        ...withoutCoverage,
        ...ownChoices(),
        ...(codeCache === undefined ? {} : { NODE_COMPILE_CACHE: codeCache }),
      },
      cwd: "/",
      // A process group of its own: a terminal's Ctrl-C is for the supervisor, which lets requests in flight finish.
      detached: true,
    }),
  );
  if (isolation === "bwrap") sendFilter(child, filterFd);
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", splitLines(onLine));

  const control = openControl<FromDomain, To>(child.stdio[3] as Socket);
  const pipe = fds.includes("pipe")
    ? (child.stdio[firstInheritedFd + fds.indexOf("pipe")] as Socket)
    : undefined;
  // A domain that ends while it is sent something is noticed by its end.
  pipe?.on("error", () => undefined);
  return {
    pid: child.pid ?? 0,
    control,
    pipe,
    exited: exitOf(child),
    kill: () => void child.kill("SIGKILL"),
  };
}

/**
 * Without a sandbox a domain still gets a network of its own with nothing in it, where root may make one. Not the ledger: to find out takes as
 * long as starting a process, and every site has one.
 */
function ownNetwork(): string[] {
  return mayUnshareNetwork() ? [findSystemProgram("unshare") ?? "unshare", "--net", "--"] : [];
}

/** Node hands `NODE_V8_COVERAGE` down to each child that is not given another: a process with secrets would write what it did into that folder. */
export const withoutCoverage: Readonly<Record<string, undefined>> = { NODE_V8_COVERAGE: undefined };

/** Whether our modules run bundled is decided for all of them. */
function ownChoices(): Record<string, string> {
  const plain = process.env["CURTAINWALL_PLAIN"];
  return plain === undefined ? {} : { CURTAINWALL_PLAIN: plain };
}

/** What a domain gets at most, where util-linux is installed: no file with its memory when it crashes, and an end to a bomb. */
function limits(): string[] {
  const prlimit = findSystemProgram("prlimit");
  return prlimit === undefined
    ? []
    : [prlimit, noCoreDump, `--nproc=${domainLimits.processes}`, `--data=${dataBytes}`];
}

/** Threads count as processes: a dozen for two of the edge's own. */
const domainLimits = { processes: 4096, dataBytes: 16 * 2 ** 30, dataBytesOfThread: 2 * 2 ** 30 } as const;
/** A release lies in memory as a whole, twice while one follows another; a thread of Node reserves half a GiB that it never touches. */
const dataBytes = domainLimits.dataBytes + availableParallelism() * domainLimits.dataBytesOfThread;

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** A release of half a gigabyte is checked in some five seconds. */
const readyTimeoutMs = 60_000;

type Starting = Pick<DomainProcess<{ type: string }>, "exited"> & {
  control: Pick<ControlChannel<FromDomain, never>, "onMessage">;
};

/** Waits until a domain says that it is ready; resolves with what it says. `onMessage` gets all that it says from then on. */
export function domainReady(
  domain: DomainName,
  { control, exited }: Starting,
  onMessage?: (message: FromDomain) => void,
): Promise<Extract<FromDomain, { type: "ready" }>> {
  return new Promise((resolve, reject) => {
    const failed = (what: string): void =>
      reject(
        new CurtainwallError("STACK_DOMAIN_FAILED", `The ${domain} ${what}.`, {
          hint: "Its output above says why",
        }),
      );
    const timer = setTimeout(() => failed(`was not ready after ${readyTimeoutMs / 1000} s`), readyTimeoutMs);
    void exited
      .then((how) => failed(`ended before it was ready (${how})`))
      .finally(() => clearTimeout(timer));
    control.onMessage((message) => {
      clearTimeout(timer);
      if (message.type === "ready") {
        if (onMessage !== undefined) control.onMessage(onMessage);
        return resolve(message);
      }
      if (message.type !== "failed") return failed(`said ${message.type} before it was ready`);
      const { code, hint } = message;
      reject(new CurtainwallError(code, message.message, hint === undefined ? {} : { hint }));
    });
  });
}

/** Package export conditions that this process was started with: its domains resolve packages the same way. */
export const conditions = (): string[] =>
  process.execArgv.filter((argument) => argument.startsWith("--conditions="));

/** The interpreter, our program and the packages that it and the contract use: not the rest of the folder they lie in. */
export function programPaths(node: string, entry: string): string[] {
  const code = dirname(dirname(dirname(entry)));
  const installed = `${sep}node_modules${sep}`;
  const inside = entry.lastIndexOf(installed);
  const home = dirname(code);
  const paths =
    inside < 0
      ? [join(home, "package.json"), join(home, "node_modules"), code]
      : [entry.slice(0, inside + installed.length - 1)];
  return [node, ...paths].filter((path) => existsSync(path));
}
