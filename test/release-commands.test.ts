import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { command, commandInShell } from "./support/command.ts";
import { encodeRelease, readReleaseIndex, securityHeaders } from "../src/contract/index.ts";
import { loadContract, publishRelease, stackFolders } from "../src/stack/index.ts";
import { requires } from "./requires.ts";
import { makeProject } from "./support/project.ts";

// The commands as somebody types them: key and release.

const passphrase = "five words nobody says together";

interface Run {
  code: number | null;
  out: string;
  words: string;
}

function curtainwall(args: string[], input = "", fd?: number): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], {
    encoding: "utf8",
    input,
    stdio: ["pipe", "pipe", "pipe", ...(fd === undefined ? [] : [fd])],
  });
  return { code: status, out: stdout, words: stderr };
}

const config = (keys = ""): string => `import { defineStack } from "curtainwall";
export default defineStack({ origin: "https://localhost", ${keys} edge: { port: 0 } });`;

async function packOf(words: string, hash = "AAAA"): Promise<Uint8Array> {
  const headers = [
    ["content-type", "text/html"] as const,
    ...securityHeaders(`default-src 'none'; script-src 'sha256-${hash}'`),
  ];
  return encodeRelease([{ path: "/", headers, bytes: { identity: new TextEncoder().encode(words) } }]);
}

test("From a new key to a rollback: nothing is published that was not signed, and each step says the next", async () => {
  const project = await makeProject({ config: config() });
  const { root } = project;
  const folders = stackFolders(root);
  const keyFile = join(root, "program.key");
  const made = curtainwall(["key", "new", keyFile], `${passphrase}\n`);
  assert.equal(made.code, 0, made.words);
  assert.match(made.out, /^ed25519:[\w-]{43}\n$/);
  assert.ok(!(made.out + made.words + readFileSync(keyFile, "utf8")).includes(passphrase));
  const shown = curtainwall(["key", "show", root]);
  assert.match(shown.words, /Development keys/);
  const release = curtainwall(["key", "release", root]);
  assert.ok(shown.out.includes(release.out.trim()), "the host's key was there since the first build");

  rmSync(folders.releases, { recursive: true });
  const keys = `keys: { program: "${made.out.trim()}", release: "${release.out.trim()}" },`;
  writeFileSync(join(root, "curtainwall.config.ts"), config(keys));
  const loaded = await loadContract(root);
  await assert.rejects(publishRelease(loaded, await packOf("first")), { code: "STACK_PROGRAM_UNSIGNED" });

  const wrong = curtainwall(["key", "sign", root, "--key", keyFile], "another passphrase\n");
  assert.equal(wrong.code, 1);
  assert.match(wrong.words, /RELEASE_KEY_LOCKED/);
  assert.ok(!existsSync(folders.programFile));
  const secret = join(root, "passphrase");
  writeFileSync(secret, `${passphrase}\n`);
  const fd = openSync(secret, "r");
  const signed = curtainwall(["key", "sign", root, "--key", keyFile, "--passphrase-fd", "3"], "", fd);
  closeSync(fd);
  assert.equal(signed.code, 0, signed.words);
  assert.match(
    signed.words,
    /It is the first one\. Browsers may run and load:[^]*script-src[^]*'sha256-AAAA'/,
  );

  assert.equal((await publishRelease(loaded, await packOf("first"))).sequence, 1);
  assert.equal((await publishRelease(loaded, await packOf("second"))).sequence, 2);
  const rows = JSON.parse(curtainwall(["release", "list", root, "--json"]).out) as {
    sequence: number;
    digest: string;
  }[];
  assert.deepEqual(
    rows.map(({ sequence }) => sequence),
    [2, 1],
  );
  const back = curtainwall(["release", "rollback", root]);
  assert.equal(back.out.trim(), `3  ${rows[1]?.digest}`);
  assert.equal(
    curtainwall(["release", "promote", rows[0]?.digest.slice(0, 8) ?? "", root, "--days", "3"]).out.trim(),
    `4  ${rows[0]?.digest}`,
  );
  assert.equal(curtainwall(["release", "rollback", "99", root]).code, 1);

  await assert.rejects(publishRelease(loaded, await packOf("third", "BBBB")), {
    code: "STACK_PROGRAM_UNSIGNED",
  });
  const news = curtainwall(["key", "sign", root, "--key", keyFile], `${passphrase}\n`);
  assert.match(
    news.words,
    /New, against the program that was signed before:\n {2}\/ has a policy that permits 'sha256-BBBB' \(script-src,/,
  );

  const [pack, manifest] = [join(root, "out.release"), join(root, "out.manifest")];
  const name = rows[0]?.digest ?? "";
  assert.equal(curtainwall(["release", "export", name, pack, root]).code, 0);
  assert.equal(curtainwall(["release", "export", name, manifest, root, "--manifest"]).code, 0);
  const bytes = new Uint8Array(readFileSync(manifest));
  const index = await readReleaseIndex({
    size: bytes.length,
    read: (at, length) => bytes.slice(at, at + length),
  });
  assert.equal(index.digest, name);
  assert.match(index.signatures, /"release"/);
  rmSync(folders.releases, { recursive: true });
  assert.match(
    curtainwall(["release", "promote", pack, root]).words,
    /RELEASE|STACK_PROGRAM_UNSIGNED/,
    "the program is the new one",
  );
  project.remove();
});

suite("A passphrase", () => {
  test("is never taken from an argument, is asked for, and is not short", async () => {
    const project = await makeProject({ config: config() });
    const file = join(project.root, "k");
    assert.equal(curtainwall(["key", "new", file, "--passphrase", passphrase]).code, 2);
    assert.match(curtainwall(["key", "new", file], "short\n").words, /shorter than 12/);
    assert.match(curtainwall(["key", "new", file]).words, /There is no passphrase/);
    assert.match(curtainwall(["key", "new", file, "--passphrase-fd", "77"]).words, /can't be read/);
    assert.ok(!existsSync(file));
    assert.match(curtainwall(["key", "sign", project.root, "--key", file]).words, /pins no keys/);
    assert.equal(curtainwall(["key"]).code, 2);
    assert.equal(curtainwall(["key", "steal"]).code, 2);
    project.remove();
  });

  test(
    "that is typed on a terminal does not show there, and is asked for twice",
    { skip: existsSync("/usr/bin/script") ? false : "script is not installed (Debian: bsdutils)" },
    async () => {
      const project = await makeProject({ config: config() });
      const line = `${commandInShell} key new ${join(project.root, "k")}`;
      const child = spawn("/usr/bin/script", ["-qec", line, "/dev/null"], {
        stdio: ["pipe", "pipe", "ignore"],
      });
      let screen = "";
      let typed = 0;
      child.stdout.on("data", (chunk: Buffer) => {
        screen += String(chunk);
        const questions = screen.split(/Passphrase of the new key: |The same again: /).length - 1;
        // As fast as a script can: were the question there before the terminal is silent, this would show.
        for (; typed < questions; typed++) child.stdin.write(`${passphrase}xx\b\u007f\r`);
      });
      const [code] = (await once(child, "close")) as unknown[];
      assert.equal(code, 0, screen);
      assert.equal(typed, 2);
      assert.ok(!screen.includes("nobody says"), "it is not shown");
      const opened = curtainwall(["key", "export-public", join(project.root, "k")], `${passphrase}\n`);
      assert.equal(
        opened.out,
        readFileSync(join(project.root, "k.pub"), "utf8"),
        "the two letters that were erased are gone",
      );
      project.remove();
    },
  );
});

test(
  "An OpenSSH key signs the program too, and its public key file is what the contract pins",
  requires("ssh-keygen"),
  async () => {
    const project = await makeProject({ config: config() });
    const { root } = project;
    const file = join(root, "id_ed25519");
    spawnSync(requires("ssh-keygen").path, ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    const release = curtainwall(["key", "release", root]).out.trim();
    const line = readFileSync(`${file}.pub`, "utf8").trim();
    writeFileSync(
      join(root, "curtainwall.config.ts"),
      config(`keys: { program: "${line}", release: "${release}" },`),
    );
    const loaded = await loadContract(root);
    await assert.rejects(publishRelease(loaded, await packOf("first")), { code: "STACK_PROGRAM_UNSIGNED" });
    const signed = curtainwall(["key", "sign", root, "--ssh", file]);
    assert.equal(signed.code, 0, signed.words);
    assert.equal((await publishRelease(loaded, await packOf("first"))).isDevelopment, false);
    spawnSync(requires("ssh-keygen").path, ["-q", "-t", "ed25519", "-N", "", "-f", join(root, "other")]);
    assert.match(
      curtainwall(["key", "sign", root, "--ssh", join(root, "other")]).words,
      /RELEASE_KEY_MISMATCH/,
    );
    project.remove();
  },
);
