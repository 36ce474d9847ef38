import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { startStack } from "../src/stack/index.ts";
import { command } from "./support/command.ts";
import { httpsGet } from "./support/https-get.ts";
import { makeProject } from "./support/project.ts";

const config = `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { addresses: ["127.0.0.1"], port: 0, redirectPort: false, threads: 1 },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: { "GET /api/a": { access: everyone, limit: "60/min per client", response: z.object({}), to: "shop" } },
});`;

test("an API without a site is built and served: beside it there is nothing", async (t) => {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const built = await promisify(execFile)(process.execPath, [...command, "build", project.root]);
  assert.match(built.stderr, /the release of an API alone/);
  const stack = await startStack({ path: project.root, log: () => undefined });
  t.after(() => stack.close());
  const ask = (path: string) =>
    httpsGet({ host: stack.addresses[0] as string, port: stack.port, name: "localhost", path });
  assert.equal((await ask("/")).status, 404);
  assert.equal((await ask("/index.html")).status, 404);
  assert.equal((await ask("/api/b")).status, 404);
  // Nobody listens behind it: the gateway has let it through.
  assert.equal((await ask("/api/a")).status, 503);
});
