import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { fromBase64 } from "../../shared/index.ts";
import { parsePublicKey } from "./public-key.ts";
import type { ReleasePublicKey } from "./public-key.ts";
import { verifySshSignature } from "./ssh-signature.ts";
import { makeSigner } from "./fixtures/test-keys.ts";

const sshKeygen = requires("ssh-keygen");
const message = new TextEncoder().encode("DSSEv1 the program");

suite("Signatures that the real ssh-keygen makes", { skip: sshKeygen.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-ssh-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

  function makeKey(name: string, type = "ed25519"): string {
    execFileSync(sshKeygen.path, ["-q", "-t", type, "-N", "", "-C", "a developer", "-f", join(folder, name)]);
    return readFileSync(join(folder, `${name}.pub`), "utf8");
  }

  function sign(name: string, namespace: string, ...options: string[]): Uint8Array {
    const file = join(folder, "message");
    writeFileSync(file, message);
    rmSync(`${file}.sig`, { force: true });
    execFileSync(
      sshKeygen.path,
      ["-Y", "sign", "-n", namespace, "-f", join(folder, name), ...options, file],
      { stdio: "ignore" },
    );
    return (
      fromBase64(readFileSync(`${file}.sig`, "utf8").replaceAll(/-----.*-----|\s/g, "")) ?? new Uint8Array(0)
    );
  }

  const keyOf = (line: string): ReleasePublicKey => {
    const key = parsePublicKey(line);
    assert.ok(key !== undefined, line);
    return key;
  };

  test("are accepted, of both hashes, for their namespace, message and key only", async () => {
    const key = keyOf(makeKey("mine"));
    const other = keyOf(makeKey("other"));
    for (const options of [[], ["-O", "hashalg=sha256"]]) {
      const signature = sign("mine", "curtainwall-program", ...options);
      assert.equal(await verifySshSignature(key, "curtainwall-program", signature, message), true);
      assert.equal(await verifySshSignature(key, "curtainwall-release", signature, message), false);
      assert.equal(await verifySshSignature(key, "curtainwall-program", signature, message.slice(1)), false);
      assert.equal(await verifySshSignature(other, "curtainwall-program", signature, message), false);
    }
    const foreign = sign("mine", "git");
    assert.equal(
      await verifySshSignature(key, "curtainwall-program", foreign, message),
      false,
      "a signed commit is no program",
    );
  });

  test("are refused with any one byte changed, cut short or gone on", async () => {
    const key = keyOf(makeKey("bytes"));
    const signature = sign("bytes", "curtainwall-program");
    for (let at = 0; at < signature.length; at++) {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(
        await verifySshSignature(key, "curtainwall-program", changed, message),
        false,
        `byte ${at}`,
      );
      assert.equal(
        await verifySshSignature(key, "curtainwall-program", signature.subarray(0, at), message),
        false,
      );
    }
    const longer = Uint8Array.from([...signature, 0]);
    assert.equal(await verifySshSignature(key, "curtainwall-program", longer, message), false);
  });

  test("of other types of key are not taken, nor are such keys", () => {
    assert.equal(parsePublicKey(makeKey("ecdsa", "ecdsa")), undefined);
  });

  test("name the same key whether it is written as OpenSSH or as a contract does", () => {
    const key = keyOf(makeKey("names"));
    assert.match(key.text, /^ed25519:[\w-]{43}$/);
    assert.deepEqual(keyOf(key.text), key);
  });
});

test("A public key that is cut short, too long or of another alphabet is none", async () => {
  const { publicKey } = await makeSigner();
  assert.deepEqual(parsePublicKey(publicKey.text), publicKey);
  for (const text of [
    "",
    "ed25519:",
    publicKey.text.slice(0, -1),
    `${publicKey.text}A`,
    publicKey.text.replace("ed25519", "rsa"),
    "ssh-ed25519 AAAA",
  ])
    assert.equal(parsePublicKey(text), undefined, text);
});
