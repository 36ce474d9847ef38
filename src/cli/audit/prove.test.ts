import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { makeProof } from "../../audit/index.ts";
import type { AuditReport } from "../../audit/index.ts";
import { signEnvelope } from "../../contract/index.ts";
import { openOrCreateKeyFile } from "../../release/node.ts";

/**
 * Nothing listens there, and no other test asks there: whoever audits one address at the same time waits, and says so where these tests expect no word.
 * The port is nobody's service (IANA).
 */
const origin = "https://localhost:917";
/** A site at that address: its audit is mostly unknown, and that can be proved too. */
const project = await makeProject({
  config: `import { defineStack } from "curtainwall";
export default defineStack({ origin: "${origin}" });`,
  files: {},
});
const elsewhere = mkdtempSync(join(tmpdir(), "curtainwall-prove-"));
after(() => {
  project.remove();
  rmSync(elsewhere, { recursive: true, force: true });
});

function run(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], {
    encoding: "utf8",
    cwd: elsewhere,
    // Another run of these tests on this machine is not waited for either.
    env: { ...process.env, TMPDIR: elsewhere },
  });
  return { code: status, out: stdout, words: stderr };
}

const pack = join(elsewhere, "pack");
let key = "";
before(() => {
  const { code, out, words } = run("prove", project.root, "--out", pack, "--json");
  assert.equal(code, 0, words);
  const made = JSON.parse(out) as { key: string; keySource: string; notLookedAt: number };
  ({ key } = made);
  assert.equal(made.keySource, "development");
  assert.ok(made.notLookedAt > 50, "nothing answered, and the proof says so");
  assert.equal(words, "", "a program reads it, and stderr is no terminal");
});

/** A copy of the pack with something done to it. */
function changed(name: string, change: (folder: string) => void): string {
  const folder = join(elsewhere, name);
  cpSync(pack, folder, { recursive: true });
  change(folder);
  return folder;
}

test("a pack verifies anywhere with its key, without a contract, and says what it states", () => {
  assert.deepEqual(readdirSync(pack).sort(), ["report.html", "report.json", "statement.json"]);
  const { code, words } = run("prove", "--verify", pack, "--key", key);
  assert.equal(code, 0, words);
  assert.match(words, /^verified .* signed it, which you named\.\n/, "the verdict first");
  assert.match(words, /target +https:\/\/localhost:917\n[\s\S]*not looked at \d+ checks:\n/);
  const [, gaps = ""] = words.split(/not looked at \d+ checks:\n/);
  assert.ok(
    gaps.split("\n").every((line) => line.length <= 100),
    gaps,
  );
  const labels = [...words.matchAll(/^ {2}(\w+) /gm)].map(([, label]) => label);
  assert.equal(new Set(labels).size, labels.length, `each label once: ${labels.join(", ")}`);
  const told = [...words.matchAll(/^ {4}.*?: (.*)$/gm)].map(([, reason]) => reason);
  assert.equal(new Set(told).size, told.length, "and each reason");
  const json = run("prove", "--verify", pack, "--key", key, "--json");
  assert.deepEqual([json.code, json.words], [0, ""]);
  assert.equal((JSON.parse(json.out) as { isKeyKnown: boolean }).isKeyKnown, true);
});

test("without a key it is whole, and that is no success: anybody can sign something whole", () => {
  for (const [where, told] of [
    [[], "there is no contract in this folder"],
    [[project.root], `the contract in ${project.root} pins no release key`],
  ] as const) {
    const { code, words } = run("prove", "--verify", pack, ...where);
    assert.equal(code, 1);
    assert.ok(
      words.startsWith(`Whole, but whose it is nobody said: ${told}. It names ${key} itself.\n`),
      words,
    );
  }
});

test("the first line tells a pack that was changed from one that nobody's key vouches for, and from one that was signed as it is and is wrong", async () => {
  const longer = changed("much-longer", (folder) => appendFileSync(join(folder, "report.html"), " "));
  assert.match(run("prove", "--verify", longer, "--key", key).words, /^\S+ is not as it was signed\.$/m);
  const other = `ed25519:${"A".repeat(43)}`;
  assert.match(
    run("prove", "--verify", pack, "--key", other).words,
    /^\S+ does not count: no signature of that key holds for it\.$/m,
  );
  const report = JSON.parse(readFileSync(join(pack, "report.json"), "utf8")) as AuditReport;
  const { signer } = await openOrCreateKeyFile(join(elsewhere, "lying.key"));
  const rows = report.rows.map((row) => ({ ...row, failed: row.failed + 1 }));
  const files = await makeProof({
    report: { ...report, rows },
    signer,
    keySource: "named",
    now: Date.now(),
  });
  const lying = changed("lying", (folder) => {
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
  });
  const { code, words } = run("prove", "--verify", lying, "--key", signer.publicKey.text);
  assert.equal(code, 1);
  assert.match(words, /^\S+ is as it was signed, and does not bear out what it states\.$/m);
});

test("what was done to a pack is told by name, with exit code 1", () => {
  const cases: [string, (folder: string) => void, RegExp][] = [
    ["longer", (folder) => appendFileSync(join(folder, "report.html"), " "), /^report\.html was changed$/m],
    ["gone", (folder) => rmSync(join(folder, "report.json")), /^report\.json is missing$/m],
    ["more", (folder) => writeFileSync(join(folder, "notes.txt"), "x"), /^notes\.txt is no part/m],
    [
      "linked",
      (folder) => {
        rmSync(join(folder, "report.html"));
        symlinkSync(join(pack, "report.html"), join(folder, "report.html"));
      },
      /^report\.html was not read: it is no file$/m,
    ],
    [
      "spaced",
      (folder) => appendFileSync(join(folder, "statement.json"), "\n"),
      /^statement\.json is no signed/m,
    ],
  ];
  for (const [name, change, told] of cases) {
    const { code, out } = run("prove", "--verify", changed(name, change), "--key", key);
    assert.equal(code, 1, name);
    assert.match(out, told);
    assert.equal(out.trim().split("\n").length, 1, `one thing was done, and told:\n${out}`);
  }
});

test("a file larger than any pack is not read, and that is told; so is a larger statement", () => {
  for (const [name, bytes] of [
    ["report.html", 33],
    ["report.json", 33],
    ["statement.json", 5],
  ] as const) {
    const large = changed(`large-${name}`, (folder) => truncateSync(join(folder, name), bytes * 1024 * 1024));
    const { code, out } = run("prove", "--verify", large, "--key", key);
    assert.equal(code, 1);
    assert.ok(out.startsWith(`${name} was not read: it is larger than anything in a pack`), out);
    assert.doesNotMatch(out, /missing/);
  }
});

test("what is signed is read up to a bound in all", async () => {
  const folder = changed("large-in-all", () => undefined);
  // Two of them, each within the bound: anybody can sign such a statement.
  const { signer } = await openOrCreateKeyFile(join(elsewhere, "large.key"));
  const { payload } = JSON.parse(readFileSync(join(folder, "statement.json"), "utf8")) as {
    payload: string;
  };
  const statement = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    predicate: { files: Record<string, string> };
  };
  for (const name of ["one.bin", "two.bin"]) {
    writeFileSync(join(folder, name), "");
    truncateSync(join(folder, name), 20 * 1024 * 1024);
    statement.predicate.files[name] = "0".repeat(64);
  }
  const envelope = await signEnvelope("proof", JSON.stringify(statement), signer);
  writeFileSync(join(folder, "statement.json"), `${JSON.stringify(envelope, null, 2)}\n`);
  const { code, out } = run("prove", "--verify", folder);
  assert.equal(code, 1);
  assert.match(out, /^one\.bin was changed\ntwo\.bin was not read: it is larger than anything in a pack/m);
});

test("what somebody else's pack says drives no terminal, in JSON either", async () => {
  const report = JSON.parse(readFileSync(join(pack, "report.json"), "utf8")) as AuditReport;
  const reason = "\u009b31mforged\u202e";
  for (const check of report.rows.flatMap(({ checks }) => checks))
    if (check.reason !== undefined) check.reason = reason;
  const { signer } = await openOrCreateKeyFile(join(elsewhere, "hostile.key"));
  const hostile = join(elsewhere, "hostile");
  mkdirSync(hostile);
  const files = await makeProof({ report, signer, keySource: "named", now: Date.now() });
  for (const [name, content] of files) writeFileSync(join(hostile, name), content);
  for (const args of [[], ["--json"]]) {
    const { out, words } = run("prove", "--verify", hostile, ...args);
    assert.match(out + words, /forged/);
    assert.doesNotMatch(out + words, /[\u007f-\u009f\u202e]/);
  }
  const { out } = run("prove", "--verify", hostile, "--json");
  assert.ok(JSON.stringify(JSON.parse(out)).includes(reason), "reads back as it was");
});

test("whether the page was compared with the report is told: another version draws another page", async () => {
  const report = JSON.parse(readFileSync(join(pack, "report.json"), "utf8")) as AuditReport;
  const { signer } = await openOrCreateKeyFile(join(elsewhere, "newer.key"));
  const newer = join(elsewhere, "newer");
  mkdirSync(newer);
  const made = { ...report, tool: "curtainwall 99.0.0" };
  for (const [name, content] of await makeProof({
    report: made,
    signer,
    keySource: "named",
    now: Date.now(),
  }))
    writeFileSync(join(newer, name), content);
  const { code, words } = run("prove", "--verify", newer, "--key", signer.publicKey.text);
  assert.equal(code, 0, words);
  assert.match(
    words,
    /^ {2}report\.html was not compared with report\.json, nor its checks with those that its maker makes: that is curtainwall 99\.0\.0, and this is curtainwall /m,
  );
  assert.doesNotMatch(run("prove", "--verify", pack, "--key", key).words, /not compared/);
  const { out } = run("prove", "--verify", newer, "--key", signer.publicKey.text, "--json");
  assert.equal((JSON.parse(out) as { isPageCompared: boolean }).isPageCompared, false);
});

test("another key than the one that signed is refused; a key file of one's own signs, and its public half checks", () => {
  const own = join(elsewhere, "own.key");
  cpSync(join(project.root, ".curtainwall", "release", "development-program.key"), own);
  const second = join(elsewhere, "second");
  const made = run("prove", project.root, "--out", second, "--key", own, "--days", "2", "--json");
  assert.equal(made.code, 0, made.words);
  const { key: other, keySource } = JSON.parse(made.out) as { key: string; keySource: string };
  assert.equal(keySource, "named");
  assert.notEqual(other, key);
  const refused = run("prove", "--verify", second, "--key", key);
  assert.equal(refused.code, 1);
  assert.match(refused.out, /was signed by another key/);
  assert.equal(run("prove", "--verify", second, "--key", other).code, 0);
});

test("a key is what was named, whatever file is called like it; a file with a key is read", () => {
  const good = `ed25519:${"A".repeat(43)}`;
  writeFileSync(join(elsewhere, good), `${key}\n`);
  const refused = run("prove", "--verify", pack, "--key", good);
  assert.equal(refused.code, 1, refused.words);
  assert.match(refused.out, /was signed by another key/);
  writeFileSync(join(elsewhere, "release.pub"), `${key}\n`);
  assert.equal(run("prove", "--verify", pack, "--key", "release.pub").code, 0);
  assert.equal(run("prove", "--verify", pack, "--key", ".").code, 2);
});

test("what is there is left as it is; a pack is written over where that was said, and nothing else ever", () => {
  const again = changed("again", (folder) => appendFileSync(join(folder, "report.html"), " "));
  const refused = run("prove", project.root, "--out", again);
  assert.equal(refused.code, 1);
  assert.match(
    refused.words,
    /^CLI_FILE_EXISTS {2}.*again is there already\.\n→ Write another: {2}--out .*proof-2 {3}or over it: {2}--force\n$/,
  );
  const forced = run("prove", project.root, "--out", again, "--force");
  assert.equal(forced.code, 0, forced.words);
  assert.equal(run("prove", "--verify", again, "--key", key).code, 0);
  writeFileSync(join(again, "notes.txt"), "mine");
  for (const place of [again, join(again, "notes.txt")]) {
    const { code, words } = run("prove", project.root, "--out", place, "--force");
    assert.equal(code, 1);
    assert.match(words, /^CLI_FILE_EXISTS {2}.* is there already, and is no pack\.\n(?!.*--force)/);
  }
  assert.equal(readFileSync(join(again, "notes.txt"), "utf8"), "mine");
});

test("misuse is told before anything is audited or written", () => {
  for (const [args, told] of [
    [[], /Name the pack, by --out to make it or by --verify/],
    [[pack], /Name the pack, .*\n→ Did you mean {2}npx curtainwall prove --verify .*pack\?$/m],
    [["--out", "a", "--verify", "b"], /Name the pack/],
    [[project.root, "--out", "new", "--days", "400"], /--days takes a number/],
    [["--verify", join(elsewhere, "nowhere")], /There is no folder/],
    [
      ["--verify", pack, "--key", "none"],
      /--key none is neither a public key nor a file .*\n→ --key takes a public key/,
    ],
    [
      ["--verify", pack, "--key", "ed25519:short"],
      /--key ed25519:short is no public key: after ed25519: stand/,
    ],
  ] as [string[], RegExp][]) {
    const { code, words } = run("prove", ...args);
    assert.equal(code, 2, words);
    assert.match(words, told);
  }
  assert.equal(readFileSync(join(pack, "statement.json"), "utf8").includes("in-toto"), true);
});

test("a pack that can't be written where it is wanted is told at once", (t) => {
  if (!existsSync("/proc/self")) return t.skip("this system has no /proc");
  for (const out of ["/proc/pack", join(pack, "report.json/pack")]) {
    const { code, words } = run("prove", project.root, "--out", out);
    assert.equal(code, 2, words);
    assert.match(words, /--out .*pack can't be written \(E[A-Z]+\)\.\n→ Usage/);
  }
});

test("a release key in a vault that a passphrase opens signs; that it does is seen before the audit", async (t) => {
  const config = (more: string): string => `import { defineStack } from "curtainwall";
export default defineStack({ origin: "${origin}",${more} });`;
  const site = await makeProject({ config: config("") });
  t.after(() => site.remove());
  // From here on the key that lay in a file is the vault's.
  writeFileSync(join(site.root, "curtainwall.config.ts"), config(" vault: { key: { passphrase: true } }"));
  const phrase = join(elsewhere, "phrase");
  const prove = (words: string, out: string): { code: number | null; words: string } => {
    writeFileSync(phrase, `${words}\n`);
    const fd = openSync(phrase, "r");
    try {
      const { status, stderr } = spawnSync(
        process.execPath,
        [...command, "prove", site.root, "--out", out, "--passphrase-fd", "3"],
        { encoding: "utf8", cwd: elsewhere, stdio: ["ignore", "pipe", "pipe", fd] },
      );
      return { code: status, words: stderr };
    } finally {
      closeSync(fd);
    }
  };
  const made = prove("five words nobody says together", "sealed");
  assert.equal(made.code, 0, made.words);
  assert.match(made.words, /A development key signed it/);
  assert.equal(run("prove", "--verify", "sealed", site.root, "--key", publicKeyIn(made.words)).code, 0);
  const wrong = prove("five other words said together", "unsealed");
  assert.equal(wrong.code, 1);
  assert.match(wrong.words, /^VAULT_KEY_WRONG/);
  assert.equal(existsSync(join(elsewhere, "unsealed")), false, "nothing was audited or written");
});

const publicKeyIn = (words: string): string => /ed25519:[\w-]{43}/.exec(words)?.[0] ?? "";
