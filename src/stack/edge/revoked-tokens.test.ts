import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { readRevoked, revocationMessages, revokeTokens } from "./revoked-tokens.ts";

const second = 1_800_000_000;
const identity = { identity: undefined };

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-revoked-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const folders = { revokedFile: join(folder, "supervisor", "revoked.json") };
  const revoke = (subject: string | undefined, at = second) =>
    revokeTokens(folders, identity, { subject, now: () => at * 1000 });
  return { folders, revoke };
}

suite("The list of revoked tokens", () => {
  test("says until when, with what an issuer's clock may be ahead; nobody else can read it", (t) => {
    const { folders, revoke } = open(t);
    assert.deepEqual(readRevoked(folders), { everyone: 0, subjects: {} });
    assert.equal(revoke("alice"), second + 5);
    revoke("bob", second + 60);
    assert.deepEqual(readRevoked(folders).subjects, { alice: second + 5, bob: second + 65 });
    assert.equal(statSync(folders.revokedFile).mode & 0o777, 0o600);
  });

  test("never takes a revocation back, also when a clock goes back", (t) => {
    const { folders, revoke } = open(t);
    revoke("alice", second);
    revoke("alice", second - 1000);
    assert.equal(readRevoked(folders).subjects.alice, second + 5);
    assert.equal(revoke(undefined, second + 10), second + 15);
    revoke("bob", second + 20);
    assert.deepEqual(readRevoked(folders), { everyone: second + 15, subjects: { bob: second + 25 } });
  });

  test("forgets what no token that is accepted can be as old as", (t) => {
    const { folders, revoke } = open(t);
    revoke("alice");
    revoke("bob", second + 399 * 86_400);
    assert.deepEqual(Object.keys(readRevoked(folders).subjects), ["alice", "bob"]);
    revoke("carol", second + 401 * 86_400);
    assert.deepEqual(Object.keys(readRevoked(folders).subjects), ["bob", "carol"]);
  });

  test("takes any name that a token can have, and no other", (t) => {
    const { folders, revoke } = open(t);
    const names = ["__proto__", "constructor", "a\nb", '"', "é", "7", "a".repeat(255)];
    for (const name of names) revoke(name);
    assert.deepEqual(Object.keys(readRevoked(folders).subjects).toSorted(), names.toSorted());
    assert.deepEqual(
      revocationMessages(readRevoked(folders))
        .flatMap(({ subjects }) => Object.keys(subjects))
        .toSorted(),
      names.toSorted(),
    );
    for (const name of ["", "a".repeat(256)])
      assert.throws(() => revoke(name), { code: "STACK_REVOCATION_INVALID" });
  });

  test("that is damaged is an error, and not taken for an empty one", (t) => {
    const { folders, revoke } = open(t);
    revoke("alice");
    const good = readFileSync(folders.revokedFile, "utf8");
    for (const bad of [
      "",
      good.slice(0, -1),
      "null",
      "[]",
      '{"version":2,"everyone":0,"subjects":{}}',
      '{"version":1,"subjects":{}}',
      '{"version":1,"everyone":0,"subjects":{"alice":"7"}}',
      '{"version":1,"everyone":-1,"subjects":{}}',
      '{"version":1,"everyone":0,"subjects":{},"but":["alice"]}',
    ]) {
      writeFileSync(folders.revokedFile, bad);
      assert.throws(() => readRevoked(folders), { code: "STACK_FILE_UNREADABLE" }, bad);
      assert.throws(() => revoke("bob"), { code: "STACK_FILE_UNREADABLE" }, bad);
    }
  });

  test("loses none of what several processes revoke at once", async (t) => {
    const { folders } = open(t);
    const module = new URL("revoked-tokens.ts", import.meta.url).href;
    const run = promisify(execFile);
    await Promise.all(
      [0, 1].map((who) =>
        run(process.execPath, [
          "--conditions=curtainwall-source",
          "--input-type=module",
          "--eval",
          `import { revokeTokens } from ${JSON.stringify(module)};
           for (let at = 0; at < 10; at++) revokeTokens(${JSON.stringify(folders)}, {}, { subject: "${who} " + at });`,
        ]),
      ),
    );
    assert.equal(Object.keys(readRevoked(folders).subjects).length, 20);
  });

  test("travels in parts that a control channel takes, however long it is", () => {
    const subjects = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`${index}`.padEnd(255, "é"), second]),
    );
    const parts = revocationMessages({ everyone: 7, subjects });
    assert.equal(
      parts.reduce((sum, part) => sum + Object.keys(part.subjects).length, 0),
      20_000,
    );
    assert.deepEqual(
      parts.map(({ everyone }) => everyone).filter((time) => time > 0),
      [7],
    );
    assert.ok(parts.every((part) => JSON.stringify(part).length < 2_000_000));
  });
});
