import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { command } from "./support/command.ts";
import { makeProject } from "./support/project.ts";
import type { TestProject } from "./support/project.ts";

// What a contract permits, on the command line: what is recorded, what is told and refused, what approves it.

const contract = (
  access: string,
): string => `import { defineStack, everyone, signedIn, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false },
  site: { content: "content", templates: "templates", collections: { pages: z.object({ title: z.string() }) } },
  identity: { issuer: "https://login.bakery.example", audience: "shop" },
  upstreams: { shop: upstream({ url: "https://shop.example" }) },
  routes: {
    "GET /api/orders": { access: ${access}, limit: "60/min per client", response: z.object({ count: z.int() }), to: "shop" },
  },
});
`;
const files = {
  "content/pages/index.md": "---\ntitle: Home\n---\nBread.\n",
  "templates/pages.tsx": `import { Content } from "curtainwall/template";
export const page = ({ entry }) => <html lang="en"><head><title>x</title></head><body><Content of={entry} /></body></html>;
`,
};

let project: TestProject;
beforeEach(async () => void (project = await makeProject({ config: contract("signedIn"), files })));
afterEach(() => project.remove());

function run(...words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...command, ...words], {
    encoding: "utf8",
    cwd: project.root,
    env: { ...process.env, NO_COLOR: "1" },
    timeout: 60_000,
  });
}
const open = (): void => writeFileSync(join(project.root, "curtainwall.config.ts"), contract("everyone"));
const lock = (): string => readFileSync(join(project.root, "curtainwall.lock.json"), "utf8");

suite("curtainwall plan, on a contract", () => {
  test("the first build records what there is and says so, then a route made public is neither built nor served until it is approved", () => {
    const first = run("build");
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /first run.*curtainwall\.lock\.json records \d+ permissions of the contract/);
    assert.match(
      lock(),
      /^\{"at":"GET \/api\/orders access","permits":\{"access":\{"kind":"signedIn"\}\},"recorded":"\d{4}-\d\d-\d\d"\},$/m,
    );
    assert.match(run("build").stderr, /is the site's already/, "what the build wrote itself is no change");
    assert.equal(run("plan").status, 0);

    open();
    for (const command of ["build", "start"]) {
      const refused = run(command);
      assert.equal(refused.status, 1, refused.stderr);
      assert.match(refused.stderr, /STACK_PERMISSION_UNAPPROVED/);
      assert.match(refused.stderr, /GET \/api\/orders access: signedIn → everyone/);
      assert.match(refused.stderr, /plan --approve "why"/);
    }
    const told = run("plan");
    assert.equal(told.status, 1);
    assert.match(told.stdout, /^ {2}GET \/api\/orders access: signedIn → everyone$/m);

    const approved = run("plan", "--approve", "anybody may count orders");
    assert.equal(approved.status, 0, approved.stderr);
    assert.match(approved.stdout, /^approved {2}GET \/api\/orders access: signedIn → everyone$/m);
    assert.match(approved.stderr, /\d+ permissions that a first run recorded: still approved by nobody/);
    assert.equal(
      lock().split("anybody may count orders").length,
      2,
      "the reason stands for that change alone",
    );
    assert.match(lock(), /"kind":"everyone".*"approved":.*"reason":"anybody may count orders"/);
    const whole = run("plan", "--approve", "read all of it");
    assert.match(whole.stderr, /first approval: your reason stands for all \d+ permissions above/);
    assert.match(lock(), /"kind":"everyone".*"approved":.*"reason":"anybody may count orders"/);
    assert.equal(run("plan", "--frozen").status, 0);
    assert.doesNotMatch(lock(), /"kind":"signedIn"/);
    assert.equal(run("plan").status, 0);
    const built = run("build");
    assert.equal(built.status, 0, built.stderr);
  });

  test("--frozen takes approvals alone, and writes nothing", () => {
    const unknown = run("build", "--frozen");
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /STACK_PERMISSION_UNAPPROVED/);
    assert.ok(!existsSync(join(project.root, "curtainwall.lock.json")));
    assert.equal(run("build").status, 0);
    const recorded = lock();
    for (const words of [
      ["build", "--frozen"],
      ["start", "--frozen"],
      ["plan", "--frozen"],
    ]) {
      const refused = run(...words);
      assert.equal(refused.status, 1, refused.stderr);
      assert.match(refused.stderr, /nobody has approved/);
    }
    assert.equal(lock(), recorded);
    assert.equal(run("plan", "--approve", "read it").status, 0);
    assert.equal(run("plan", "--frozen").status, 0);
    const built = run("build", "--frozen");
    assert.equal(built.status, 0, built.stderr);
  });

  test("a folder behind the reason is told, with the order that is right", () => {
    const { status, stderr } = run("plan", "--approve", "read it", ".");
    assert.equal(status, 2, stderr);
    assert.match(stderr, /\. is a folder, and no reason\.\n→ .*npx curtainwall plan \. --approve "read it"/);
    assert.ok(!existsSync(join(project.root, "curtainwall.lock.json")));
  });

  test("--json tells the same to a machine", () => {
    run("plan", "--approve", "read it");
    open();
    const { status, stdout } = run("plan", "--json");
    assert.equal(status, 1);
    const { widened, approved } = JSON.parse(stdout) as { widened: unknown; approved: number };
    assert.deepEqual(widened, [
      {
        at: "GET /api/orders access",
        permits: { access: { kind: "everyone" } },
        was: [{ access: { kind: "signedIn" } }],
        isGone: false,
      },
    ]);
    assert.ok(approved > 5);
  });

  test("--prune forgets what the contract no longer asks for, and what it says of scripts stays", () => {
    open();
    run("plan", "--approve", "read it");
    const script = `{"site":"dist","id":"inline-${"a".repeat(64)}","kind":"inline","seen":"/","recorded":"2026-11-22"},`;
    writeFileSync(
      join(project.root, "curtainwall.lock.json"),
      lock().replace('"scripts": [', `"scripts": [\n${script}`),
    );
    writeFileSync(join(project.root, "curtainwall.config.ts"), contract("signedIn"));
    assert.equal(run("plan").status, 0, "it permits less");
    const spare =
      /look at curtainwall\.lock\.json still permits .* \(GET \/api\/orders access: .*\), .*: {2}npx curtainwall plan.* --prune$/m;
    assert.match(run("build").stderr, spare);
    const pruned = run("plan", "--prune");
    assert.equal(pruned.status, 0, pruned.stderr);
    assert.ok(lock().includes(script));
    assert.doesNotMatch(run("build").stderr, /still permits/);
    open();
    assert.equal(run("plan").status, 1);
  });

  test("a lock that can't be read stops build and start", () => {
    for (const broken of [
      "{",
      '{"format":"curtainwall-lock 1","scripts":[],"permissions":[{"at":1},null]}',
    ]) {
      writeFileSync(join(project.root, "curtainwall.lock.json"), broken);
      for (const command of ["build", "start"]) {
        const { status, stderr } = run(command);
        assert.equal(status, 1);
        assert.match(stderr, /_LOCK_INVALID/);
      }
    }
  });

  test("an approval says why, and options of scripts are told apart", () => {
    for (const words of [["--approve"], ["--show", "a"]]) {
      const { status, stderr } = run("plan", ...words);
      assert.equal(status, 2, stderr);
    }
    assert.ok(!existsSync(join(project.root, "curtainwall.lock.json")));
  });

  test("the example's lock grants what its contract permits, wherever its services listen", () => {
    const bakery = fileURLToPath(new URL("../examples/bakery", import.meta.url));
    const { status, stderr, stdout } = spawnSync(process.execPath, [...command, "plan", bakery, "--frozen"], {
      encoding: "utf8",
      env: {
        ...process.env,
        BAKERY_ORIGIN: "https://localhost:9443",
        BAKERY_SHOP_PORT: "9444",
        BAKERY_LOGIN_PORT: "9445",
        BAKERY_COURIER_PORT: "9446",
        BAKERY_MAIL_PORT: "9447",
        BAKERY_TILL_PORT: "9448",
      },
    });
    assert.equal(status, 0, stderr + stdout);
  });

  test("where there is no contract, it asks for a folder", () => {
    rmSync(join(project.root, "curtainwall.config.ts"));
    const { status, stderr } = run("plan");
    assert.equal(status, 2);
    assert.match(stderr, /no contract here/);
  });
});
