import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import type { Server } from "node:https";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { developmentCertificate } from "curtainwall/edge";
import { describeIsolation, startStack } from "curtainwall/stack";
import { createCourier } from "../bakery/others/courier.ts";
import { close, listen } from "../bakery/listen.ts";
import { explain } from "../bakery/service.ts";
import { createCaller } from "./call.ts";
import type { Call, Runner } from "./call.ts";
import { attemptsInNode } from "./tricks/attempts-in-node.ts";
import { attempts } from "./tricks/attempts.ts";
import { excesses } from "./tricks/excesses.ts";
import { lookAround } from "./look-around.ts";
import { isKeyIn } from "./key-forms.ts";
import { readAddresses, root, stateFolder } from "./settings.ts";

// Runs a function that wants the courier's key, and prints what came of each of its attempts. Ends with 1 if one got through.

const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const named = { workerd: "workerd", node: "Node" } as const;
let through = 0;

try {
  await main();
} catch (error) {
  console.error(`${styleText("red", "The attack could not be made.")}\n${explain(error)}`);
  // The servers of a half-made attack end with it.
  process.exit(1);
}

async function main(): Promise<void> {
  const { origin, courier: courierUrl, bystander: bystanderUrl } = readAddresses();
  const key = randomBytes(24).toString("base64url");
  say("Starting a courier, building and starting a stack with a hostile function …");
  const certificate = await developmentCertificate({ folder: join(stateFolder, "ca"), hosts: ["localhost"] });
  /** What reached the courier beside quotes. */
  const strange: string[] = [];
  let quotes = 0;
  const courier = createCourier({
    certificate,
    key,
    onRequest: ({ method, url }) => {
      const asked = [...url.searchParams.keys()].toSorted().join();
      if (method === "GET" && url.pathname === "/v1/quotes" && asked === "grams,postcode") quotes++;
      else strange.push(`${method} ${url.pathname}${url.search}`);
    },
  });
  let visits = 0;
  const bystander = createServer(certificate).on("connection", () => visits++);
  const servers: Server[] = [courier, bystander];
  await listen(courier, { name: "the courier", port: portOf(courierUrl), variable: "HOSTILE_COURIER_PORT" });
  await listen(bystander, {
    name: "the bystander",
    port: portOf(bystanderUrl),
    variable: "HOSTILE_BYSTANDER_PORT",
  });
  await run(["secret", "set", "COURIER_KEY", root], `${key}\n`);
  await run(["build", root]);
  const told: string[] = [];
  const stack = await startStack({
    path: root,
    log: ({ from, message }) => told.push(`${from}: ${message}`),
  });
  const call = createCaller(origin, certificate.ca);
  try {
    await assertFunctionsRun(call, told);
    console.log(`\n  ${describeIsolation(stack.isolation)}\n`);
    for (const runner of ["workerd", "node"] as const) {
      await tryAttempts(call, runner, key);
      await tryExcesses(call, runner, key);
    }
    console.log(styleText("bold", "\n  What the others saw\n"));
    judge(
      strange.length === 0,
      `the courier was asked for quotes ${quotes} times, and for nothing else`,
      strange.join(", "),
      "",
      "as meant",
    );
    judge(visits === 0, "the bystander was never connected to", `${visits} connections`, "", "as meant");
    console.log(styleText("bold", "\n  What the machine shows\n"));
    for (const runner of ["workerd", "node"] as const) await call.attempt(runner, "allowed-request");
    for (const { says, isFine, why } of lookAround(stack, key)) judge(isFine, says, why, "", "as meant");
  } finally {
    await stack.close();
    await Promise.all(servers.map(close));
  }
  console.log(
    through === 0
      ? styleText("green", "\n  All blocked.\n")
      : styleText("red", `\n  ${through} got through.\n`),
  );
  process.exitCode = through === 0 ? 0 : 1;
}

/** Where no function runs nothing gets through, which would show nothing. */
async function assertFunctionsRun(call: Call, told: readonly string[]): Promise<void> {
  for (const ask of [
    () => call.neighbour(),
    () => call.attempt("workerd", "allowed-request"),
    () => call.attempt("node", "allowed-request"),
  ]) {
    const { status } = await ask();
    if (status === 200) continue;
    throw new Error(
      `A function does not run: its call was answered ${status}.\n${told.slice(-5).join("\n")}\nAre all packages there?  npm ci`,
    );
  }
}

async function tryAttempts(call: Call, runner: Runner, key: string): Promise<void> {
  console.log(styleText("bold", `\n  What the function tries in ${named[runner]}\n`));
  const all = runner === "node" ? { ...attempts, ...attemptsInNode } : attempts;
  for (const [name, { says, proof, isFineInNode = false }] of Object.entries(all)) {
    if (runner === "node" && isFineInNode) continue;
    const { status, text } = await call.attempt(runner, name);
    // Nobody was kept from what nobody did.
    if (status !== 200) {
      judge(false, says, `it was not tried: its call was answered ${status}`);
      continue;
    }
    const hasKey = isKeyIn(text, key);
    judge(
      !hasKey && proof?.test(unquoted(text)) !== true,
      says,
      hasKey ? "it has the key" : "it worked",
      outcomeOf(text),
      // Nothing was refused where it was answered: what counts is that the key is not in the answer.
      outcomeOf(text).startsWith("answered with 2") ? "as meant" : "blocked",
    );
  }
}

async function tryExcesses(call: Call, runner: Runner, key: string): Promise<void> {
  console.log(styleText("bold", `\n  What others do in ${named[runner]} to their neighbours\n`));
  // Three for each: one that has its process ended three times is refused from then on.
  for (const [index, [name, { says }]] of Object.entries(excesses).entries()) {
    let isDone = false;
    const excess = call.excess(runner, (index % 5) + 1, name).finally(() => (isDone = true));
    let asked = 0;
    let answered = 0;
    do {
      asked++;
      if ((await call.neighbour()).status === 200) answered++;
    } while (!isDone);
    const { status, text } = await excess;
    const ended = status === 200 ? outcomeOf(text) : `its call: ${status}`;
    judge(
      answered === asked && !isKeyIn(text, key),
      `it ${says}; its neighbour answers ${answered} of ${asked}`,
      "the neighbour went down with it",
      ended,
      "unharmed",
    );
  }
}

/** A text of JSON inside JSON, readable. */
function unquoted(text: string): string {
  return text.replaceAll('\\"', '"');
}

/** How an attempt ended, in a few words. */
function outcomeOf(text: string): string {
  const code = /EGRESS_[A-Z_]+/.exec(text)?.[0];
  if (code !== undefined) return code;
  const { found, threw = "" } = JSON.parse(text) as { found?: string; threw?: string };
  const status = found === undefined ? undefined : /^\{"status":(\d+)/.exec(found)?.[1];
  const words = status === undefined ? (found ?? threw) : `answered with ${status}, without the key`;
  return words.replace(/\s+/g, " ").slice(0, 70);
}

function judge(isFine: boolean, says: string, why: string, outcome = "", done = "blocked"): void {
  if (!isFine) through++;
  const mark = isFine ? styleText("green", `✔ ${done}`) : styleText("red", "✖ THROUGH");
  const more = isFine ? outcome : why;
  console.log(`  ${mark}  ${says}${more === "" ? "" : styleText("dim", `  ${more}`)}`);
}

/** Runs a command of Curtainwall's, as a user would. */
async function run(parameters: readonly string[], input = ""): Promise<void> {
  const child = spawn(process.execPath, [cli, ...parameters], { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stdout.on("data", (part: Buffer) => (words += String(part)));
  child.stderr.on("data", (part: Buffer) => (words += String(part)));
  child.stdin.end(input);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`curtainwall ${parameters[0]} ended with ${code}:\n${words}`);
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function say(words: string): void {
  console.error(styleText("dim", words, { stream: process.stderr }));
}
