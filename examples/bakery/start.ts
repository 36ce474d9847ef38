import { join, relative } from "node:path";
import { styleText } from "node:util";
import { assertNotRunning, describeIsolation, stackFolders, startStack } from "curtainwall/stack";
import type { RunningStack } from "curtainwall/stack";
import { startChild } from "./children.ts";
import type { ChildService } from "./children.ts";
import { breads } from "./collections.ts";
import { alice, bob } from "./people.ts";
import { curtainwall, runProgram } from "./command.ts";
import { orderOf } from "./shop/seed.ts";
import { explain } from "./service.ts";
import { addressVariables, bakeryName, caFile, howToMove, readAddresses, root } from "./settings.ts";

interface Running {
  shop: ChildService;
  login: ChildService;
  others: ChildService;
  stack: RunningStack;
}

/** One Ctrl-C is two signals, the terminal's and npm's. Only one that comes later than this is a second one. */
const patienceMs = 1000;

/** When the first signal came. */
let stoppingSince: number | undefined;

const words = process.argv.slice(2);
const isVerbose = words.length > 0 && words.every((word) => word === "--verbose");

if (words.length > 0 && !isVerbose) {
  const asksForHelp = words.every((word) => word === "--help" || word === "-h");
  const help = `npm start  opens the bakery, until Ctrl-C. npm start -- --verbose  shows whole stacks of what functions throw. These move it, and every other command about it (audit, attack, log, revoke …) needs the same ones, so export them in each terminal:  ${howToMove}`;
  if (asksForHelp) console.log(help);
  else console.error(help);
  process.exit(asksForHelp ? 0 : 2);
}

try {
  const running = await start();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => void stop(running, 0));
  watchParent(() => void stop(running, 0));
  void running.shop.ended.then(() => lost("The shop"));
  void running.login.ended.then(() => lost("The login"));
  void running.others.ended.then(() => lost("The courier"));
  console.log(greeting(running));

  function lost(name: string): void {
    if (stoppingSince !== undefined) return;
    console.error(`${name} ended, so the bakery closes.`);
    void stop(running, 1);
  }
} catch (error) {
  console.error(`${styleText("red", "The bakery could not open.")}\n${explain(error)}`);
  if ((error as { code?: string }).code === "STACK_PORT_IN_USE") console.error(`Here that is:  ${howToMove}`);
  // The services end with this process.
  process.exit(1);
}

/** Starts the shop and the login, builds the site meanwhile, and puts the stack in front of it all. */
async function start(): Promise<Running> {
  readAddresses();
  // Before anything is built: the release would be put under the bakery that runs.
  assertNotRunning(stackFolders(root));
  say("Starting the shop, the login and the others, building the site …");
  const [shop, login, others] = await Promise.all([
    startChild("The shop", join(root, "shop/main.ts")),
    startChild("The login", join(root, "login/main.ts")),
    startChild("The courier", join(root, "others/main.ts")),
    curtainwall(["build", root]),
  ]);
  await runProgram("Giving the keys", [join(root, "give-keys.ts")]);
  const stack = await startStack({
    path: root,
    log: ({ from, level, message }) => {
      if (isVerbose || level !== "trace") say(`${from}: ${message}`);
    },
  });
  return { shop, login, others, stack };
}

/** Stops everything, the edge first, so that what it has begun to answer can be answered. A second signal does not wait. */
async function stop({ shop, login, others, stack }: Running, code: number): Promise<void> {
  if (stoppingSince !== undefined) {
    if (Date.now() - stoppingSince > patienceMs) process.exit(1);
    return;
  }
  stoppingSince = Date.now();
  say("stopping: requests in flight are answered first …");
  await stack.close();
  await Promise.all([shop.stop(), login.stop(), others.stop()]);
  process.exit(code);
}

/** npm passes a signal on, but not its own sudden death: then this process gets another parent, and stops. */
function watchParent(gone: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, 500).unref();
}

function greeting({ shop, login, others, stack }: Running): string {
  const here = process.env["INIT_CWD"] ?? process.cwd();
  const path = (file: string): string => relative(here, join(root, file)) || ".";
  const curl = `curl --cacert ${path(caFile)}`;
  const api = `${stack.origin}/api`;
  // What moves the addresses must move them for these commands too.
  const moved = addressVariables
    .filter((name) => process.env[name] !== undefined)
    .map((name) => `${name}=${process.env[name]} `)
    .join("");
  const asAlice = `-H "authorization: Bearer $TOKEN"`;
  const heading = (text: string): string => `\n  ${styleText("bold", text)}`;
  const step = (what: string, ...commands: string[]): string =>
    [`\n  ${what}`, ...commands.map((command) => `    ${styleText("cyan", command)}`)].join("\n");
  return [
    heading(bakeryName),
    `  site    ${stack.origin}`,
    `  login   ${login.url}   ${styleText("dim", "alice, bob, marta and jonas; the password is “bread and butter”")}`,
    `  shop    ${shop.url}   ${styleText("dim", "answers nobody but the gateway")}`,
    `  others  ${others.url} and two more   ${styleText("dim", "the courier, the postmaster and the till: other people’s services")}`,
    `  ${describeIsolation(stack.isolation)}; certificates by ${path(caFile)}`,
    heading("What to try"),
    step("A page and its policy", `${curl} -I ${stack.origin}/`),
    step("A call that is allowed", `${curl} ${api}/products/${breads[0].id}`),
    step("One that is refused: nobody is signed in", `${curl} -i ${api}/users/${alice.id}/orders`),
    step(
      "Alice’s orders, as Alice: allowed",
      `TOKEN=$(${moved}npx node ${path("token.ts")} alice)`,
      `${curl} ${asAlice} ${api}/users/${alice.id}/orders`,
    ),
    step("Bob’s orders, as Alice: refused", `${curl} -i ${asAlice} ${api}/users/${bob.id}/orders`),
    step(
      "What a delivery costs: asked by a function that never has the courier’s key",
      `${curl} "${api}/delivery?postcode=BS1%204ST&grams=900"`,
      `${moved}npx curtainwall secret who DELIVERY_KEY ${path(".")}`,
    ),
    step(
      "A payment that the till signed, and one that nobody signed",
      `${curl} ${readAddresses().tillUrl}/v1/demonstrations -d '{"order":"${orderOf.bob}","amountCents":980,"currency":"GBP"}'`,
      `${curl} -i ${api}/payments -H "content-type: application/json" -d '{}'`,
    ),
    step("A function that wants a key, in a stack of its own", "npm run attack:function"),
    step(
      "Attacks on all of it, and what holds, with evidence, in another terminal",
      `${moved}npx curtainwall attack ${path(".")}`,
      `${moved}npx curtainwall audit ${path(".")}`,
    ),
    step(
      "The same signed, for somebody who was not here: who gets it checks it with --verify",
      `${moved}npx curtainwall prove ${path(".")} --out .curtainwall/proof --force`,
    ),
    `\n  What fails in there is told below, a line each; attacks and audits make it fail. Ctrl-C closes the bakery.\n`,
  ].join("\n");
}

function say(words: string): void {
  console.error(styleText("dim", words, { stream: process.stderr }));
}
