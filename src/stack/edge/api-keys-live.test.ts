import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { httpsGet } from "../../../test/support/https-get.ts";
import { makeProject } from "../../../test/support/project.ts";
import { openApiKeyFile } from "../../gateway/node.ts";
import { startStack } from "../index.ts";

const config = `import { defineStack, scope, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { addresses: ["127.0.0.1"], port: 0, redirectPort: false, threads: 2 },
  apiKeys: { file: "api-keys.json" },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: {
    "GET /api/a": { access: scope("a:read"), limit: "6000/min per client", response: z.object({}), to: "shop" },
  },
});`;

test("a running stack takes a key that is made, and refuses one that is revoked, on every thread", async (t) => {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const stack = await startStack({ path: project.root, log: () => undefined });
  t.after(() => stack.close());
  const file = openApiKeyFile(join(project.root, "api-keys.json"));
  const statusOf = async (key: string, query = ""): Promise<number> => {
    const headers = { authorization: `ApiKey ${key}` };
    const host = stack.addresses[0] as string;
    return (await httpsGet({ host, port: stack.port, name: "localhost", path: `/api/a${query}`, headers }))
      .status;
  };
  /** Asks until ten requests in a row, on as many connections, have the status. */
  const settle = async (key: string, status: number): Promise<void> => {
    for (let inRow = 0; inRow < 10;) inRow = (await statusOf(key)) === status ? inRow + 1 : 0;
  };
  const { key, record } = file.create({ scopes: ["a:read"] });
  // Nobody listens behind it: 503 is what whoever may call is told.
  await settle(key, 503);
  assert.equal(await statusOf(file.create({ scopes: ["b:read"] }).key, `?k=${key}`), 400);
  file.revoke(record.id);
  await settle(key, 401);
});
