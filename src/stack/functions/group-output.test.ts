import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { readOutput } from "./group-output.ts";

async function linesOf(text: string): Promise<string[]> {
  const lines: string[] = [];
  const stream = Readable.from([Buffer.from(text)]);
  readOutput([stream], (line) => lines.push(line));
  await finished(stream);
  return lines;
}

test("what workerd says of its own executable is nobody's news; what a function says of one is told", async () => {
  const ofWorkerd =
    "Unable to find and open the program executable, so unable to determine if there is a compiled-in config file. Proceeding on the assumption that there is not.";
  assert.deepEqual(await linesOf(`${ofWorkerd}\nUnable to find and open the oven\nwarm: ${ofWorkerd}\n`), [
    "Unable to find and open the oven",
    `warm: ${ofWorkerd}`,
  ]);
});

test("a call that hung is told by its own code, not in workerd's words; another uncaught error is told, without addresses", async () => {
  const hung =
    "workerd/server/server.c++:6231: error: Uncaught exception: workerd/io/io-context.c++:1542: failed: remote.jsg.Error: The Workers runtime canceled this request because it detected that your Worker's code had hung and would never generate a response. Refer to: https://developers.cloudflare.example/";
  const other = "workerd/server/server.c++:6231: error: Uncaught exception: something else";
  const stack = "stack: /workerd@2fd5050 /workerd@2fd5290";
  assert.deepEqual(await linesOf(`${hung}\n${stack}\n${other}\n${stack}\nstack: mine\n`), [
    other,
    "stack: mine",
  ]);
});

test("that an asker had gone is known to who went; another error of writing is told", async () => {
  const of =
    "workerd/server/server.c++:6090: error: kj::getCaughtExceptionAsKj() = kj/async-io-unix.c++:186:";
  const gone = `${of} disconnected: ::write(fd, buffer.begin(), buffer.size()): Broken pipe`;
  const full = `${of} failed: ::write(fd, buffer.begin(), buffer.size()): No space left on device`;
  assert.deepEqual(await linesOf(`${gone}\n${full}\nmine: ${gone}\n`), [full, `mine: ${gone}`]);
});
