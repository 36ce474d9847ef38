import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(
  import.meta.resolve("curtainwall/package.json").replace("package.json", "dist/cli/main.js"),
);

/**
 * Runs one of Curtainwall's commands, as a user would, and returns what it printed.
 *
 * @param input what it reads; a secret's value goes there, and never into an argument
 * @throws {Error} with its own words when it fails.
 */
export const curtainwall = (parameters: readonly string[], input?: string): Promise<string> =>
  runProgram(`npx curtainwall ${parameters.slice(0, 2).join(" ")}`, [cli, ...parameters], input);

/**
 * Runs a program in a process of its own, and returns what it printed.
 *
 * @throws {Error} with its own words when it fails.
 */
export async function runProgram(name: string, parameters: readonly string[], input = ""): Promise<string> {
  const child = spawn(process.execPath, parameters, { stdio: "pipe" });
  let printed = "";
  let words = "";
  child.stdout.on("data", (part: Buffer) => (printed += String(part)));
  child.stderr.on("data", (part: Buffer) => (words += String(part)));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${words}`);
  return printed;
}
