import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { requires } from "../../../test/requires.ts";
import { openEnvelope, signEnvelope } from "../../contract/index.ts";
import { Secret, isCurtainwallError } from "../../shared/index.ts";
import { createKeyFile, openKeyFile, openOrCreateKeyFile, readPublicHalf } from "./key-file.ts";
import { openSshKey } from "./ssh-signer.ts";

const passphrase = new Secret("five words nobody says together");

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-key-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("A key with a passphrase opens with it and with no other, is its owner's alone, and signs what its public half verifies", async (t) => {
  const file = join(makeFolder(t), "deep", "program.key");
  const publicKey = createKeyFile(file, passphrase);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(readFileSync(`${file}.pub`, "utf8"), `${publicKey.text}\n`);
  const signer = await openKeyFile(file, { passphrase: async () => passphrase });
  const envelope = await signEnvelope("program", '{"a":1}', signer);
  assert.equal(await openEnvelope("program", envelope, publicKey), '{"a":1}');
  assert.equal(await openEnvelope("release", envelope, publicKey), undefined);
  await assert.rejects(openKeyFile(file, { passphrase: async () => new Secret("another one") }), {
    code: "RELEASE_KEY_LOCKED",
  });
  await assert.rejects(openKeyFile(file), { code: "RELEASE_KEY_LOCKED" });
});

test(
  "The file is what others understand: openssl opens it with the passphrase, and names scrypt as what guards it",
  requires("openssl"),
  (t) => {
    const openssl = requires("openssl").path;
    const file = join(makeFolder(t), "program.key");
    createKeyFile(file, passphrase);
    const options = { input: "five words nobody says together\n", encoding: "utf8" } as const;
    const opened = spawnSync(openssl, ["pkey", "-in", file, "-passin", "stdin", "-noout", "-text"], options);
    assert.match(opened.stdout, /ED25519 Private-Key/);
    const refused = spawnSync(openssl, ["pkey", "-in", file, "-passin", "stdin", "-noout"], {
      ...options,
      input: "wrong\n",
    });
    assert.notEqual(refused.status, 0);
    assert.match(
      execFileSync(openssl, ["asn1parse", "-in", file], { encoding: "utf8" }),
      /:scrypt[^]*:4000[^]*:aes-256-cbc/,
    );
  },
);

test("A key is never written over, and one that others may read is not used", async (t) => {
  const file = join(makeFolder(t), "release.key");
  const made = await openOrCreateKeyFile(file);
  assert.deepEqual([made.isNew, (await openOrCreateKeyFile(file)).isNew], [true, false]);
  const before = readFileSync(file);
  assert.throws(() => createKeyFile(file, passphrase), { code: "RELEASE_KEY_EXISTS" });
  assert.deepEqual(readFileSync(file), before);
  chmodSync(file, 0o640);
  await assert.rejects(
    openKeyFile(file),
    (error) => isCurtainwallError(error, "RELEASE_KEY_EXPOSED") && /chmod 600/.test(error.hint ?? ""),
  );
});

test("What can't be a private key is told to be none, whatever its mode", async (t) => {
  const folder = makeFolder(t);
  const file = join(folder, "release.key");
  await openOrCreateKeyFile(file);
  chmodSync(folder, 0o755);
  for (const [place, says] of [
    [folder, /is no file/],
    [`${file}.pub`, /public half/],
  ] as const)
    await assert.rejects(
      openKeyFile(place),
      (error) => isCurtainwallError(error, "RELEASE_KEY_UNREADABLE") && says.test(error.message),
    );
});

test("The public half that lies there already is not written over, also without its key", (t) => {
  const file = join(makeFolder(t), "program.key");
  writeFileSync(`${file}.pub`, "of another key\n");
  assert.throws(() => createKeyFile(file, passphrase), {
    code: "RELEASE_KEY_EXISTS",
    message: /program\.key\.pub/,
  });
  assert.equal(readFileSync(`${file}.pub`, "utf8"), "of another key\n");
  assert.ok(!existsSync(file), "no key whose public half is another's");
});

test("The public half is told without the passphrase, from a file that nobody else can have written", async (t) => {
  const file = join(makeFolder(t), "program.key");
  const { text } = createKeyFile(file, passphrase);
  assert.equal((await readPublicHalf(file)).text, text);
  chmodSync(`${file}.pub`, 0o666);
  await assert.rejects(readPublicHalf(file), { code: "RELEASE_KEY_LOCKED" });
  assert.equal((await readPublicHalf(file, { passphrase: async () => passphrase })).text, text);

  const open = join(makeFolder(t), "release.key");
  const released = createKeyFile(open, undefined);
  writeFileSync(`${open}.pub`, `${text}\n`);
  assert.equal((await readPublicHalf(open)).text, released.text, "a key that can be opened is, and decides");
});

test("A key that is missing, damaged or of another type is told as that", async (t) => {
  const folder = makeFolder(t);
  await assert.rejects(openKeyFile(join(folder, "none")), { code: "RELEASE_KEY_MISSING" });
  const damaged = join(folder, "damaged");
  writeFileSync(damaged, "no key", { mode: 0o600 });
  await assert.rejects(openKeyFile(damaged), { code: "RELEASE_KEY_UNREADABLE" });
});

test(
  "An OpenSSH key signs programs, by itself and through an agent; no other namespace fits",
  requires("ssh-keygen"),
  async (t) => {
    const folder = makeFolder(t);
    const file = join(folder, "id");
    execFileSync(requires("ssh-keygen").path, ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    const signer = openSshKey(file, "program");
    const envelope = await signEnvelope("program", "{}", signer);
    assert.equal(await openEnvelope("program", envelope, signer.publicKey), "{}");
    const crossed = await signEnvelope("release", "{}", signer);
    assert.equal(
      await openEnvelope("release", crossed, signer.publicKey),
      undefined,
      "signed in the namespace of programs",
    );
    await assert.rejects(
      openKeyFile(file),
      (error) => isCurtainwallError(error, "RELEASE_KEY_UNREADABLE") && /--ssh/.test(error.hint ?? ""),
    );

    const agent = spawnSync("ssh-agent", ["-s"], { encoding: "utf8" });
    if (agent.status !== 0) return t.diagnostic("no ssh-agent here: signing through one is not tried");
    const [socket = "", pid = ""] = [...agent.stdout.matchAll(/=([^;]+);/g)].map((match) => match[1] ?? "");
    process.env.SSH_AUTH_SOCK = socket;
    try {
      execFileSync("ssh-add", ["-q", file], { stdio: "ignore" });
      rmSync(file);
      const throughAgent = await signEnvelope("program", "{}", openSshKey(`${file}.pub`, "program"));
      assert.equal(await openEnvelope("program", throughAgent, signer.publicKey), "{}");
      execFileSync("ssh-add", ["-q", "-D"], { stdio: "ignore" });
      assert.throws(() => openSshKey(`${file}.pub`, "program").sign(new Uint8Array(1)), {
        code: "RELEASE_SIGNING_FAILED",
      });
    } finally {
      delete process.env.SSH_AUTH_SOCK;
      process.kill(Number(pid));
    }
  },
);

test(
  "An SSH key without its public half, or of another type, is told as that",
  requires("ssh-keygen"),
  (t) => {
    const folder = makeFolder(t);
    assert.throws(() => openSshKey(join(folder, "none"), "program"), { code: "RELEASE_KEY_MISSING" });
    execFileSync(requires("ssh-keygen").path, ["-q", "-t", "ecdsa", "-N", "", "-f", join(folder, "ec")]);
    assert.throws(() => openSshKey(join(folder, "ec"), "program"), { code: "RELEASE_KEY_UNREADABLE" });
  },
);
