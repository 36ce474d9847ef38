import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { requires } from "../../../../test/requires.ts";
import { runCheck } from "../../check.ts";
import { createCommands } from "../../commands.ts";
import type { AuditContext } from "../../context.ts";
import { createSourceProbe } from "../../node/source.ts";
import type { AuditCheck } from "../../report.ts";
import { sec2 } from "./sec-2.ts";

const git = requires("git");

/** A project in a repository of its own; the files are committed, one commit each. */
function createProject(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-sec-2-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  run(root, "init", "-q");
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    commitAll(root, file);
  }
  return root;
}

const run = (root: string, ...args: string[]): string =>
  execFileSync(git.path, ["-c", "user.name=test", "-c", "user.email=test@test.example", ...args], {
    cwd: root,
    encoding: "utf8",
  });

function commitAll(root: string, message: string): void {
  run(root, "add", "-A", "-f", ".");
  run(root, "commit", "-qm", message);
}

function look(root: string, name: string): Promise<AuditCheck> {
  const check = sec2.checks.find((candidate) => candidate.name === name);
  assert.ok(check !== undefined);
  const context = {
    source: createSourceProbe(root),
    target: new URL("https://localhost:1"),
    release: undefined,
    commands: createCommands({ folder: "my site", address: undefined, environment: [], start: undefined }),
  } as AuditContext;
  return runCheck(check, "SEC-2", context);
}

const ignore = ".env\n.env.*\n!.env.example\n";

test(
  "a project that ignores every variant passes, each with the line of .gitignore that does it",
  git,
  async (t) => {
    const root = createProject(t, { ".gitignore": ignore, ".env.example": "KEY=\n" });
    const check = await look(root, "git ignores every variant");
    assert.equal(check.state, "passed");
    assert.match(JSON.stringify(check.evidence[0]), /\.gitignore:1:\.env/);
    for (const name of ["none is tracked", "none is in git's history"])
      assert.equal((await look(root, name)).state, "passed");
  },
);

test("a .gitignore that forgets a variant fails", git, async (t) => {
  const root = createProject(t, { ".gitignore": ".env\n.env.local\n" });
  const check = await look(root, "git ignores every variant");
  assert.equal(check.state, "failed");
  assert.match(JSON.stringify(check.evidence), /\.env\.production is ignored/);
});

test("a variant that is taken back by a later line fails", git, async (t) => {
  const root = createProject(t, { ".gitignore": ".env\n.env.*\n!.env.production\n" });
  assert.equal((await look(root, "git ignores every variant")).state, "failed");
});

test("a tracked .env fails, wherever it lies", git, async (t) => {
  const root = createProject(t, { ".gitignore": ignore, "packages/shop/.env.local": "KEY=1\n" });
  const check = await look(root, "none is tracked");
  assert.equal(check.state, "failed");
  assert.match(JSON.stringify(check.evidence), /packages\/shop\/\.env\.local/);
});

test("a .env that was removed again still fails, by its history", git, async (t) => {
  const root = createProject(t, { ".env": "KEY=1\n", ".gitignore": ignore });
  rmSync(join(root, ".env"));
  commitAll(root, "remove it");
  assert.equal((await look(root, "none is tracked")).state, "passed");
  assert.equal((await look(root, "none is in git's history")).state, "failed");
});

test("a .env on another branch still fails, by its history", git, async (t) => {
  const root = createProject(t, { ".gitignore": ignore });
  run(root, "checkout", "-qb", "other");
  writeFileSync(join(root, ".env.production"), "KEY=1\n");
  commitAll(root, "oops");
  run(root, "checkout", "-q", "-");
  assert.equal((await look(root, "none is in git's history")).state, "failed");
});

test("a shallow clone can't tell, so its history is missing", git, async (t) => {
  const origin = createProject(t, { ".gitignore": ignore, "a.txt": "a" });
  const clone = mkdtempSync(join(tmpdir(), "curtainwall-sec-2-"));
  t.after(() => rmSync(clone, { recursive: true, force: true }));
  run(clone, "clone", "-q", "--depth=1", `file://${origin}`, ".");
  const check = await look(clone, "none is in git's history");
  assert.equal(check.state, "missing");
  assert.match(check.reason ?? "", /shallow/);
});

test("a folder outside any repository is missing, not passed", git, async (t) => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-sec-2-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  assert.equal((await look(root, "git ignores every variant")).state, "missing");
});

test("a package that would publish a .env fails; without it, it passes", git, async (t) => {
  const root = createProject(t, {
    "package.json": '{"name":"test-package","version":"1.0.0","files":["lib"]}',
    "lib/index.js": "",
  });
  assert.equal((await look(root, "none is in the npm package")).state, "passed");
  mkdirSync(join(root, "lib/config"));
  writeFileSync(join(root, "lib/config/.env"), "KEY=1\n");
  assert.equal((await look(root, "none is in the npm package")).state, "failed");
});

test("a container image is not looked into yet, and that is said", git, async (t) => {
  const root = createProject(t, { Dockerfile: "FROM scratch\n" });
  assert.match((await look(root, "none is in a container image")).reason ?? "", /Dockerfile/);
});

test("without a package to publish or an image to build, those checks do not apply", git, async (t) => {
  const root = createProject(t, { ".gitignore": ignore });
  assert.equal((await look(root, "none is in the npm package")).state, "not applicable");
  assert.equal((await look(root, "none is in a container image")).state, "not applicable");
  writeFileSync(join(root, "package.json"), '{"private":true}');
  assert.equal((await look(root, "none is in the npm package")).state, "not applicable");
});

test("what failed is shown again by a command that goes to the folder first", git, async (t) => {
  const root = createProject(t, { ".env": "KEY=1\n" });
  assert.equal(
    (await look(root, "none is tracked")).reproduce,
    "(cd 'my site' && git ls-files --full-name :/)",
  );
});
