import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { requires } from "../../../test/requires.ts";
import { asTested } from "../../../test/support/command.ts";

const bwrap = requires("bwrap");
const chromium = requires("chromium");

/** Tells of a browser for pages of this machine, then of one for others', whether it started, and with what for a sandbox. */
const program = `
import { readFileSync, readdirSync } from "node:fs";
import { launchBrowser } from ${JSON.stringify(new URL("launch-browser.ts", import.meta.url).href)};
const commandOf = (pid) => {
  try {
    return readFileSync("/proc/" + pid + "/cmdline", "utf8");
  } catch {
    return "";
  }
};
for (const isOwn of [true, false]) {
  try {
    const executablePath = ${JSON.stringify(chromium.path)};
    const browser = await launchBrowser({ executablePath, proxyPort: 9, spkiSha256: "", maxBytes: 2e9, isOwn });
    const page = await browser.browser.newPage();
    const commands = readdirSync("/proc").map(commandOf).filter((text) => text.includes("--type=renderer") && !text.includes("--eval"));
    if (commands.length === 0) throw new Error("it is not seen");
    console.log(commands.some((text) => text.includes("--no-sandbox")) ? "without a sandbox" : "in its sandbox");
    await browser.close();
  } catch (error) {
    console.log(error.message.replace(/^the browser at \\S+ /, ""));
  }
}`;

/** Runs it as an ordinary user, among processes of its own. */
async function startedAs(uid: number, ...options: readonly string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(bwrap.path, [
    ...["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent"],
    ...["--unshare-user", "--uid", String(uid), "--gid", String(uid)],
    ...options,
    ...[process.execPath, ...asTested, "--input-type=module-typescript", "--eval", program],
  ]);
  return stdout.trim().split("\n");
}

const skip = bwrap.skip || chromium.skip;

test(
  "pages are opened in Chromium's sandbox; where there is none, this machine's own alone",
  { skip },
  async () => {
    assert.deepEqual(await startedAs(1000), ["in its sandbox", "in its sandbox"]);
    const [own, others] = await startedAs(1000, "--disable-userns");
    assert.equal(own, "without a sandbox");
    assert.match(others ?? "", /^has no sandbox here, and opens no pages of other machines without/);
    // Root never has one, which the documents say.
    assert.deepEqual(await startedAs(0), ["without a sandbox", "without a sandbox"]);
  },
);
