import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeRelease, openEnvelope, parseSignatures } from "../../contract/index.ts";
import { publishPage } from "../fixtures/publish.ts";
import { createKeyFile, openKeyFile } from "./key-file.ts";
import { openReleaseStore } from "./store.ts";
import type { ReleaseStore } from "./store.ts";

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-store-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function makeStore(
  context: TestContext,
): Promise<{ store: ReleaseStore; publish: (page: string) => Promise<number>; folder: string }> {
  const folder = makeFolder(context);
  createKeyFile(join(folder, "key"), undefined);
  const signer = await openKeyFile(join(folder, "key"));
  const store = openReleaseStore(join(folder, "releases"));
  return { store, folder, publish: async (page) => (await publishPage(store, signer, page)).sequence };
}

test("Each publication gets the next number, content is kept once, and the newest is the site's", async (t) => {
  const { store, publish } = await makeStore(t);
  assert.equal(store.current(), undefined);
  assert.deepEqual([await publish("a"), await publish("b"), await publish("a")], [1, 2, 3]);
  const [third, second, first] = store.list();
  assert.equal(third?.digest, first?.digest);
  assert.notEqual(second?.digest, first?.digest);
  assert.equal(store.current()?.sequence, 3);
  assert.equal(readdirSync(store.folder).filter((name) => name.endsWith(".release")).length, 2);
  assert.equal(store.find(second?.digest.slice(0, 6) ?? "").digest, second?.digest);
});

test("A number that was used before the store forgot it is not used again", async (t) => {
  const { store } = await makeStore(t);
  const numbers: number[] = [];
  const sign = async (sequence: number): Promise<string> => {
    numbers.push(sequence);
    return `{"sequence":${sequence}}`;
  };
  await assert.rejects(store.publish(sign, 41), { message: /is no statement with the number 42/ });
  assert.deepEqual([numbers, store.newest()], [[42], 0]);
});

test("Content that is missing is passed over, and a statement that is nonsense too", async (t) => {
  const { store, publish } = await makeStore(t);
  await publish("a");
  await publish("b");
  rmSync(store.current()?.packFile ?? "");
  writeFileSync(join(store.folder, "000000000009.json"), "nonsense");
  assert.equal(store.current()?.sequence, 1);
  assert.throws(() => store.find("ffff"), { code: "RELEASE_UNKNOWN" });
});

test("Files that only have a statement's name neither use up the numbers nor stop a publication", async (t) => {
  const { store, publish } = await makeStore(t);
  await publish("a");
  const first = readFileSync(join(store.folder, "000000000001.json"));
  writeFileSync(join(store.folder, "999999999999.json"), "nonsense");
  writeFileSync(join(store.folder, "999999999998.json"), first);
  writeFileSync(join(store.folder, "9999999999999.json"), first);
  mkdirSync(join(store.folder, "000000000002.json"));
  assert.deepEqual([await publish("b"), await publish("c")], [3, 4]);
  assert.deepEqual(
    store.list().map(({ sequence }) => sequence),
    [4, 3, 1],
  );
  store.collect(2);
  assert.deepEqual(
    store.list().map(({ sequence }) => sequence),
    [4, 3],
    "rubbish takes no statement's place among those that are kept",
  );
});

test("The last number is followed by a refusal, not by a file that nobody reads or a search without end", async (t) => {
  const { store, publish } = await makeStore(t);
  await publish("a");
  const before = readdirSync(store.folder);
  await assert.rejects(
    store.publish(async () => assert.fail("nothing is signed"), 999_999_999_999),
    { code: "RELEASE_STORE_UNWRITABLE", message: /no number after 999999999999/ },
  );
  assert.deepEqual(readdirSync(store.folder), before);
  await assert.rejects(
    // Whatever number it gets, somebody is there first.
    store.publish(async (sequence) => {
      const name = `${String(sequence).padStart(12, "0")}.json`;
      writeFileSync(join(store.folder, name), "");
      return "{}";
    }),
    { code: "RELEASE_STORE_UNWRITABLE", message: /100 times somebody else took/ },
  );
});

test("A name that is too short is told as that", async (t) => {
  const { store, publish } = await makeStore(t);
  await publish("a");
  assert.throws(() => store.find("ab1"), { code: "RELEASE_UNKNOWN", message: /too short.*4 letters/ });
});

test("Old statements are forgotten with their content; what was just taken in and what is still named stays", async (t) => {
  const { store, publish } = await makeStore(t);
  for (const page of ["a", "b", "c", "a"]) await publish(page);
  const names = (): string[] => readdirSync(store.folder).filter((name) => name.endsWith(".release"));
  assert.equal(store.collect(2), 2, "statements 1 and 2; the content is too young");
  assert.equal(names().length, 3);
  for (const name of names()) utimesSync(join(store.folder, name), 0, 0);
  assert.equal(store.collect(2), 1, "b is nobody's any more, a is still named by 4");
  assert.deepEqual(
    store.list().map(({ sequence, bytes }) => [sequence, typeof bytes]),
    [
      [4, "number"],
      [3, "number"],
    ],
  );
});

test("A folder that can't be written is told as that, and what a writer throws leaves nothing behind", async (t) => {
  const { store, publish, folder } = await makeStore(t);
  await publish("a");
  const before = readdirSync(store.folder);
  await assert.rejects(
    store.add(() => Promise.reject(new Error("the build broke"))),
    { message: "the build broke" },
  );
  assert.deepEqual(readdirSync(store.folder), before);
  const blocked = openReleaseStore(join(folder, "key", "releases"));
  await assert.rejects(
    blocked.add(async () => ({ digest: "0".repeat(64) })),
    { code: "RELEASE_STORE_UNWRITABLE" },
  );
});

const publisher = fileURLToPath(new URL("../fixtures/publish-forever.ts", import.meta.url));
const runPublisher = (folder: string, ...more: string[]): ReturnType<typeof spawn> =>
  spawn(
    process.execPath,
    ["--conditions=curtainwall-source", publisher, join(folder, "releases"), join(folder, "key"), ...more],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );

test("Killed at any point, a publisher leaves the old release or the new one, whole and signed, and nothing that was confirmed is lost", async (t) => {
  const folder = makeFolder(t);
  createKeyFile(join(folder, "key"), undefined);
  const signer = await openKeyFile(join(folder, "key"));
  const store = openReleaseStore(join(folder, "releases"));
  let confirmed = 0;
  for (let round = 0; round < 12; round++) {
    const child = runPublisher(folder);
    let bytes = 0;
    let printed = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      printed += String(chunk);
      bytes += chunk.length;
      // Once it runs, after another number of lines and another while each time, so that it is hit in another place.
      if (bytes > round * 3) setTimeout(() => child.kill("SIGKILL"), (round * 7) % 11);
    });
    await once(child, "close");
    confirmed = Math.max(confirmed, ...printed.trim().split("\n").map(Number));
    const current = store.current();
    assert.ok(
      current !== undefined && current.sequence >= confirmed,
      `round ${round}: ${current?.sequence} of ${confirmed}`,
    );
    const { digest } = await decodeRelease(readFileSync(current.packFile));
    const signed = await openEnvelope(
      "release",
      parseSignatures(current.signatures)?.release,
      signer.publicKey,
    );
    assert.equal((JSON.parse(signed ?? "{}") as { digest: string }).digest, digest);
  }
  await publishPage(store, signer, "after all");
  assert.deepEqual(
    readdirSync(store.folder).filter((name) => name.startsWith(".draft")),
    [],
    "what was half-written is gone",
  );
});

test("Publishers at the same time never take the same number", async (t) => {
  const folder = makeFolder(t);
  createKeyFile(join(folder, "key"), undefined);
  const outputs = [0, 1, 2].map(async () => {
    const child = runPublisher(folder, "8");
    const chunks: string[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(String(chunk)));
    await once(child, "close");
    return chunks.join("").trim().split("\n").map(Number);
  });
  const numbers = (await Promise.all(outputs)).flat().sort((left, right) => left - right);
  assert.deepEqual(
    numbers,
    Array.from({ length: 24 }, (_, index) => index + 1),
  );
});
