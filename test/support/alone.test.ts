import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { alone } from "./alone.ts";

const onLinux = process.platform === "linux" ? {} : { skip: "the kernel's own names are Linux's" };
const what = `test ${process.pid}`;

/** A process that takes the name, says so, and has it until it is ended. */
function other(): ChildProcess {
  const module = JSON.stringify(new URL("alone.ts", import.meta.url).href);
  const code = `import { alone } from ${module}; console.log("asks"); await alone(${JSON.stringify(what)}); console.log("has"); setInterval(() => undefined, 1000);`;
  return spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** What it has said when it says this. */
async function said(child: ChildProcess, word: string): Promise<string> {
  let text = "";
  for (;;) {
    const [chunk] = (await once(child.stdout as NodeJS.EventEmitter, "data")) as [Buffer];
    text += chunk.toString();
    if (text.includes(word)) return text;
  }
}

test(
  "what one process has alone, another gets when it is released, or when its process is killed",
  onLinux,
  async (context) => {
    const release = await alone(what);
    assert.equal(await alone(what), release, "who has it may ask again");
    const first = other();
    const second = other();
    context.after(() => [first, second].map((child) => child.kill("SIGKILL")));
    let holders = 0;
    for (const child of [first, second])
      child.stdout?.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("has")) holders++;
      });
    await Promise.all([said(first, "asks"), said(second, "asks")]);
    assert.equal(holders, 0, "this process has it");
    const has = (child: ChildProcess): Promise<ChildProcess> => said(child, "has").then(() => child);
    const waiting = [has(first), has(second)];
    release();
    const holder = await Promise.race(waiting);
    assert.equal(holders, 1);
    holder.kill("SIGKILL");
    await Promise.all(waiting);
  },
);
