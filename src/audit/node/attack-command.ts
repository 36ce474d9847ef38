import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CurtainwallError } from "../../shared/index.ts";
import type { AttackKind } from "../attack/kinds.ts";
import type { AttackReport } from "../attack/report.ts";
import { printable } from "../evidence.ts";
import { defaultBudgetMs } from "./run-attack.ts";

/** What is attacked. */
export interface AttackOrder {
  /** The project's folder. */
  readonly folder: URL;
  /** Kinds and routes. Default: all. */
  readonly kinds?: readonly AttackKind[] | undefined;
  readonly routes?: readonly string[] | undefined;
}

/** More than this of what went wrong is not told. */
const maxErrors = 4000;

/** A failure that is read in a test's report: the words alone, since its stack would be of this file. */
export function failed(message: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new CurtainwallError("AUDIT_ATTACK_FAILED", message);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Runs the command beside this file: the source's from source, the built one from `dist`. */
export async function commandReport(
  { folder, kinds, routes }: AttackOrder,
  environment: Readonly<NodeJS.ProcessEnv>,
  onStart: (child: ChildProcess) => void,
): Promise<AttackReport> {
  const isSource = import.meta.url.endsWith(".ts");
  const { CURTAINWALL_TARGET: target, CURTAINWALL_ATTACK_BUDGET: budget } = environment;
  const child = spawn(
    process.execPath,
    [
      ...(isSource ? ["--conditions=curtainwall-source"] : []),
      fileURLToPath(new URL(`../../cli/main.${isSource ? "ts" : "js"}`, import.meta.url)),
      "attack",
      fileURLToPath(folder),
      ...(target === undefined ? [] : [target]),
      ...(budget === undefined ? [] : ["--budget", budget]),
      ...(kinds === undefined ? [] : ["--kind", kinds.join(",")]),
      ...(routes === undefined ? [] : ["--route", routes.join(",")]),
      "--json",
    ],
    // A test runner's own variables would make a report of the child's output.
    {
      env: { ...environment, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onStart(child);
  const [printed, errors] = [collect(child.stdout), collect(child.stderr)];
  // As it comes: a test's own words are kept until its end.
  const tell = (line: string): boolean => process.stderr.write(`attack  ${printable(line, 500)}\n`);
  const about = [...(kinds ?? []), ...(routes ?? [])].join(", ");
  tell(
    `begins, and takes ${budget ?? `${defaultBudgetMs / 60_000}m`} at most (CURTAINWALL_ATTACK_BUDGET)${about === "" ? "" : `: ${about}`}`,
  );
  createInterface({ input: child.stderr }).on("line", tell);
  await new Promise((resolve, reject) => void child.once("close", resolve).once("error", reject));
  try {
    return JSON.parse(printed()) as AttackReport;
  } catch {
    throw failed(
      `curtainwall attack gave no report: ${printable(errors().slice(-maxErrors), maxErrors).replaceAll("⏎", "\\n")}`,
    );
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
