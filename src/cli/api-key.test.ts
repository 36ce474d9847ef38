import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { command } from "../../test/support/command.ts";
import { makeProject } from "../../test/support/project.ts";

const config = `import { anyOf, defineStack, none, role, scope, upstream } from "curtainwall";
export default defineStack({
  origin: "https://localhost:8443",
  identity: { issuer: "https://login.bakery.test/", audience: "shop" },
  apiKeys: { file: "api-keys.json" },
  upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
  routes: {
    "GET /api/orders": {
      access: anyOf(role("staff"), scope("orders:read")),
      limit: "9/min per client",
      response: none,
      to: "shop",
    },
  },
});
`;

test("a key for a scope that no route asks for is made, and told of; the list names its columns", async () => {
  const project = await makeProject({ config });
  const run = (...words: string[]): { stdout: string; stderr: string } =>
    spawnSync(process.execPath, [...command, "api-key", ...words], { encoding: "utf8", cwd: project.root });
  const useful = run("create", "--scope", "orders:read");
  assert.match(useful.stdout, /^cwk_\w+$/m);
  assert.doesNotMatch(useful.stderr, /no route asks for/);
  const mistaken = run("create", "--scope", "orders:read order:write");
  assert.match(mistaken.stdout, /^cwk_\w+$/m);
  assert.match(mistaken.stderr, /order:write: no route asks for it; what routes ask for: orders:read$/m);
  const { stdout, stderr } = run("list");
  assert.equal(stdout.trim().split("\n").length, 2);
  assert.match(stderr, /^id\tsubject\tscopes\ttenant\tuntil$/m);
  project.remove();
});
