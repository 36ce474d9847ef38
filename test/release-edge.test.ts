import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { encodeRelease, parsePublicKey, readReleaseIndex, securityHeaders } from "../src/contract/index.ts";
import type { EnvelopeSigner, Header, ReleaseInput } from "../src/contract/index.ts";
import { makeSigner } from "../src/contract/release/fixtures/test-keys.ts";
import { signRelease } from "../src/release/index.ts";
import type { SignedProgram } from "../src/release/index.ts";
import { openKeyFile, openReleaseStore } from "../src/release/node.ts";
import type { ReleaseStore } from "../src/release/node.ts";
import {
  loadContract,
  neededProgram,
  publishRelease,
  publishStored,
  readSignedProgram,
  signProgram,
  stackFolders,
  startStack,
} from "../src/stack/index.ts";
import type { LoadedContract, RunningStack, StackFolders, StackLogEntry } from "../src/stack/index.ts";
import { requires } from "./requires.ts";
import { httpsGet } from "./support/https-get.ts";
import { makeProject, packFileOf } from "./support/project.ts";

// A running stack whose contract pins both keys, and somebody who holds one of them, or neither.

const origin = "https://localhost";
const policy =
  "default-src 'none'; script-src 'sha256-AAAA'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const html = (csp = policy): Header[] => [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-cache"],
  ...securityHeaders(csp),
];
const page = (words: string, csp?: string): ReleaseInput[] => [
  { path: "/", headers: html(csp), bytes: { identity: new TextEncoder().encode(words) } },
];

interface Site {
  root: string;
  folders: StackFolders;
  loaded: LoadedContract;
  store: ReleaseStore;
  /** Holds the release key: what a stolen console has. */
  releaseSigner: EnvelopeSigner;
  program: SignedProgram;
}

/** A site whose program was signed elsewhere, and whose first release is published. */
async function makeSite(context: TestContext, threads = 1): Promise<Site> {
  const config = (keys: string): string => `import { defineStack } from "curtainwall";
export default defineStack({ origin: "${origin}", ${keys} edge: { port: 0, redirectPort: false, threads: ${threads} } });`;
  const project = await makeProject({ config: config("") });
  context.after(() => project.remove());
  const folders = stackFolders(project.root);
  rmSync(folders.releases, { recursive: true });
  const releaseSigner = await openKeyFile(folders.releaseKeyFile);
  const programSigner = await makeSigner();
  const keys = `keys: { program: "${programSigner.publicKey.text}", release: "${releaseSigner.publicKey.text}" },`;
  writeFileSync(join(project.root, "curtainwall.config.ts"), config(keys));
  const loaded = await loadContract(project.root);

  const pack = await encodeRelease(page("first"));
  await assert.rejects(publishRelease(loaded, pack), { code: "STACK_PROGRAM_UNSIGNED" });
  const program = await signProgram(await neededProgram(loaded, await indexOf(pack)), programSigner);
  writeFileSync(folders.programFile, JSON.stringify(program.envelope));
  assert.equal((await publishRelease(loaded, pack)).sequence, 1);
  return {
    root: project.root,
    folders,
    loaded,
    releaseSigner,
    program,
    store: openReleaseStore(folders.releases),
  };
}

const indexOf = (pack: Uint8Array): ReturnType<typeof readReleaseIndex> =>
  readReleaseIndex({ size: pack.length, read: (at, length) => pack.slice(at, at + length) });

/** Puts content into the store and signs it with the release key, around every check of the build. */
async function smuggle(
  { store, program, releaseSigner }: Site,
  inputs: ReleaseInput[],
  changes: { signer?: EnvelopeSigner; now?: number; sequence?: number; bytes?: Uint8Array } = {},
): Promise<number> {
  const pack = await encodeRelease(inputs);
  const index = await indexOf(pack);
  await store.add(async (sink) => {
    await sink(changes.bytes ?? pack);
    return index;
  });
  const { sequence } = await store.publish((next) =>
    signRelease({
      release: index,
      program,
      site: origin,
      sequence: changes.sequence ?? next,
      signer: changes.signer ?? releaseSigner,
      now: changes.now ?? Date.now(),
      lifetimeDays: 1,
    }),
  );
  return sequence;
}

interface Watched {
  stack: RunningStack;
  entries: StackLogEntry[];
  seen: (pattern: RegExp) => Promise<void>;
}

async function start(context: TestContext, root: string, isolation?: "bwrap"): Promise<Watched> {
  const entries: StackLogEntry[] = [];
  const waiting = new Set<() => void>();
  const log = (entry: StackLogEntry): void => {
    entries.push(entry);
    for (const look of waiting) look();
  };
  const stack = await startStack({ path: root, log, ...(isolation === undefined ? {} : { isolation }) });
  context.after(() => stack.close());
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (entries.some(({ message }) => pattern.test(message))) resolve();
      };
      waiting.add(look);
      look();
    });
  return { stack, entries, seen };
}

const bodyOf = async ({ port }: RunningStack): Promise<string> =>
  (await httpsGet({ host: "127.0.0.1", port, name: "localhost" })).body;

suite("Somebody who holds the release key", () => {
  test("can change words, and not what runs: a new inline script is refused, the release before goes on being served, also after a restart", async (t) => {
    const site = await makeSite(t);
    const first = await start(t, site.root);
    await smuggle(site, page("second: other words"));
    await first.seen(/release 2 .* is served/);
    assert.equal(await bodyOf(first.stack), "second: other words");

    await smuggle(site, page("<script>steal()</script>", policy.replace("AAAA", "EVIL")));
    await first.seen(
      /release 3 is refused, the one before stays: RELEASE_OUTSIDE_PROGRAM: .*\n.*'sha256-EVIL'/,
    );
    assert.equal(await bodyOf(first.stack), "second: other words");
    await first.stack.close();
    const events = readFileSync(site.folders.logFile, "utf8");
    assert.match(events, /"event":"stack\.release\.refused".*"sequence":3.*"code":"RELEASE_OUTSIDE_PROGRAM"/);

    const second = await start(t, site.root);
    await second.seen(/release 3 is refused/);
    assert.equal(await bodyOf(second.stack), "second: other words");
  });

  test("can't sign a program of his own, nor use another site's", async (t) => {
    const site = await makeSite(t);
    const watched = await start(t, site.root);
    const evil = page("<script>steal()</script>", policy.replace("AAAA", "EVIL"));
    const own = await signProgram(
      await neededProgram(site.loaded, await indexOf(await encodeRelease(evil))),
      site.releaseSigner,
    );
    await smuggle({ ...site, program: own }, evil);
    await watched.seen(/release 2 is refused.*RELEASE_SIGNATURE_INVALID: The program was not signed/);
    assert.equal(await bodyOf(watched.stack), "first");
  });

  test("can't bring back a release by its old number, nor one that expired", async (t) => {
    const site = await makeSite(t);
    await smuggle(site, page("second"));
    const watched = await start(t, site.root);
    await watched.seen(/release 2 .* is served/);
    const first = readFileSync(join(site.folders.releases, "000000000001.json"));
    for (const name of ["000000000003.json", "999999999999.json"])
      writeFileSync(join(site.folders.releases, name), first);
    await assert.rejects(smuggle(site, page("with the number of the first"), { sequence: 1 }), {
      code: "RELEASE_STORE_UNWRITABLE",
    });
    await smuggle(site, page("long gone"), { now: Date.now() - 2 * 86_400_000 });
    await watched.seen(/release 4 is refused.*RELEASE_EXPIRED/);
    assert.equal(await bodyOf(watched.stack), "second");
    // Nor keep a true one from being served, under a number that nothing comes after.
    await smuggle(site, page("fifth"));
    await watched.seen(/release 5 .* is served/);
    assert.equal(await bodyOf(watched.stack), "fifth");
  });
});

suite("Somebody who can write to the store, and holds no key", () => {
  test("can't replay: with the newer ones deleted the old release does not start; an honest rollback does, under a new number", async (t) => {
    const site = await makeSite(t);
    const { digest } = site.store.current() ?? { digest: "" };
    await publishRelease(site.loaded, await encodeRelease(page("second")));
    const first = await start(t, site.root);
    assert.equal(await bodyOf(first.stack), "second");
    await first.stack.close();
    rmSync(join(site.folders.releases, "000000000002.json"));
    await assert.rejects(startStack({ path: site.root, log: () => undefined }), { code: "RELEASE_REPLAYED" });

    const published = await publishStored(site.loaded, digest);
    assert.equal(published.sequence, 3, "above what was served, though the store no longer knows of it");
    const second = await start(t, site.root);
    assert.equal(await bodyOf(second.stack), "first");
  });

  test("can't flip a byte, sign with a key of his own, or exchange the content under a signature", async (t) => {
    const site = await makeSite(t);
    const watched = await start(t, site.root);
    await smuggle(site, page("another key"), { signer: await makeSigner() });
    await watched.seen(
      /release 2 is refused.*RELEASE_SIGNATURE_INVALID: The release was not signed.*keys, routes or the origin have changed since, start it again/,
    );

    const [honest, other] = [page("honest"), page("exchanged")];
    const pack = Buffer.from(await encodeRelease(honest));
    pack[pack.indexOf("honest")] = 72;
    const index = await indexOf(await encodeRelease(honest));
    await site.store.add(async (sink) => {
      await sink(pack);
      return index;
    });
    await publishStored(site.loaded, index.digest);
    await watched.seen(/release 3 is refused.*RELEASE_DIGEST_MISMATCH/);

    await smuggle(site, honest, { bytes: await encodeRelease(other) });
    await watched.seen(
      /release 4 is refused.*RELEASE_SIGNATURE_INVALID: The signature belongs to another release/,
    );
    await assert.rejects(publishStored(site.loaded, index.digest), { code: "RELEASE_DIGEST_MISMATCH" });
    assert.equal(await bodyOf(watched.stack), "first");
  });

  test("can't choke the edge: a pack beyond its memory is refused, and the next release is taken all the same", async (t) => {
    const site = await makeSite(t);
    const watched = await start(t, site.root);
    const pack = await encodeRelease(page("huge"));
    const { digest } = await indexOf(pack);
    await site.store.add(async (sink) => {
      await sink(pack);
      return { digest };
    });
    truncateSync(site.store.find(digest).packFile, 800 * 1024 * 1024);
    const index = await indexOf(pack);
    const { program, releaseSigner } = site;
    await site.store.publish((sequence) =>
      signRelease({
        release: index,
        program,
        site: origin,
        sequence,
        signer: releaseSigner,
        now: Date.now(),
      }),
    );
    await watched.seen(/release 2 is refused.*EDGE_RELEASE_TOO_LARGE/);
    await publishRelease(site.loaded, await encodeRelease(page("third")));
    await watched.seen(/release 3 .* is served/);
    assert.equal(await bodyOf(watched.stack), "third");
  });

  test("can't hide what was damaged: a record of the last release that can't be read stops the start", async (t) => {
    const site = await makeSite(t);
    const first = await start(t, site.root);
    await first.stack.close();
    writeFileSync(site.folders.acceptedFile, "{");
    await assert.rejects(startStack({ path: site.root, log: () => undefined }), {
      code: "STACK_FILE_UNREADABLE",
    });
  });
});

test("A build whose code is not in the signed program is refused and says what is new; what is served stays", async (t) => {
  const site = await makeSite(t);
  const evil = page("x", policy.replace("AAAA", "NEW"));
  await assert.rejects(
    publishRelease(site.loaded, await encodeRelease(evil)),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "STACK_PROGRAM_UNSIGNED");
      assert.match(error.message, /'sha256-NEW'/);
      assert.match(error.hint, /npx curtainwall key sign/);
      return true;
    },
  );
  assert.equal(site.store.newest(), 1);
  assert.equal(
    (await publishRelease(site.loaded, await encodeRelease(page("first")))).isNew,
    false,
    "the same content again needs no new number",
  );
});

test("A signed program that somebody changed, or that another key signed, is refused", async (t) => {
  const site = await makeSite(t);
  const keys = {
    program: parsePublicKey((await makeSigner()).publicKey.text) as EnvelopeSigner["publicKey"],
  };
  await assert.rejects(readSignedProgram(site.folders, keys), { code: "STACK_PROGRAM_UNSIGNED" });
  writeFileSync(
    site.folders.programFile,
    readFileSync(site.folders.programFile, "utf8").replace(/"sig":"./, '"sig":"!'),
  );
  await assert.rejects(publishRelease(site.loaded, await encodeRelease(page("x"))), {
    code: "STACK_PROGRAM_UNSIGNED",
  });
});

for (const isolation of [undefined, "bwrap"] as const) {
  test(
    `Under load, over connections that stay open, releases are replaced without a request dropped or mixed (${isolation ?? "the strongest isolation"})`,
    isolation === undefined ? {} : requires("bwrap"),
    async (t) => {
      const site = await makeSite(t, 2);
      const { stack, seen, entries } = await start(t, site.root, isolation);
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      t.after(() => agent.destroy());
      let isDone = false;
      let answers = 0;
      const ask = (): Promise<string> =>
        new Promise((resolve, reject) => {
          const options = {
            host: "127.0.0.1",
            port: stack.port,
            agent,
            servername: "localhost",
            headers: { host: "localhost" },
            rejectUnauthorized: false,
          };
          request(options, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => resolve(`${response.statusCode} ${String(Buffer.concat(chunks))}`));
          })
            .on("error", reject)
            .end();
        });
      const visitors = Array.from({ length: 8 }, async () => {
        for (; !isDone; answers++) assert.match(await ask(), /^200 (?:first|(a|b)\1{99999})$/);
      });
      for (const [index, letter] of ["a", "b", "a"].entries()) {
        await publishRelease(site.loaded, await encodeRelease(page(letter.repeat(100_000))));
        await seen(new RegExp(`release ${index + 2} .* is served`));
        assert.ok((await ask()).startsWith(`200 ${letter}`), "once it is said, it is so on every thread");
      }
      isDone = true;
      await Promise.all(visitors);
      assert.ok(answers > 100, `${answers} answers`);
      assert.deepEqual(
        entries.filter(({ level }) => level === "error"),
        [],
      );
      const accepted = readdirSync(site.folders.supervisor).filter((name) => name.startsWith("accepted"));
      assert.deepEqual(accepted, ["accepted.json"], "no draft is left");
      assert.equal(
        (JSON.parse(readFileSync(site.folders.acceptedFile, "utf8")) as { sequence: number }).sequence,
        4,
      );
      assert.ok(packFileOf(site.root).endsWith(".release"));
    },
  );
}
