import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { makeProject } from "../../test/support/project.ts";

const config = `import { allOf, check, defineStack, none, ownerLookup, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:8443",
  identity: { issuer: "https://login.bakery.test/", audience: "shop" },
  upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
  routes: {
    "PUT /api/orders/:id": {
      access: allOf(check("open-now", () => true), ownerLookup({ get: "/orders/:id", field: "customerId" })),
      limit: "9/min per client",
      params: { id: z.string() },
      body: z.object({ note: z.string() }),
      response: none,
      to: "shop",
    },
  },
});
`;

const Output = z.strictObject({
  key: z.literal("PUT /api/orders/:id"),
  to: z.literal("shop"),
  declared: z.literal("curtainwall.config.ts:8"),
  countedOn: z.string(),
  steps: z.array(
    z.strictObject({
      check: z.string(),
      passes: z.string(),
      otherwise: z.string(),
      cost: z.int().optional(),
      declared: z
        .string()
        .regex(/^curtainwall\.config\.ts:\d+$/)
        .optional(),
    }),
  ),
});

test("explain says where each condition is asked for, what it costs and where that was counted, for people and as JSON", async () => {
  const project = await makeProject({ config });
  const run = (...more: string[]): string =>
    spawnSync(
      process.execPath,
      [
        "--conditions=curtainwall-source",
        join(import.meta.dirname, "main.ts"),
        "explain",
        "PUT /api/orders/:id",
        project.root,
        ...more,
      ],
      { encoding: "utf8" },
    ).stdout;
  const { steps } = Output.parse(JSON.parse(run("--json")));
  for (const name of ["token", "access", "check", "look-up"])
    assert.equal(steps.find(({ check }) => check === name)?.declared, "curtainwall.config.ts:9", name);
  const text = run();
  assert.match(
    text,
    /^ +\d+ {2}look-up +\d+\.\d k {3}GET \/orders\/:id of shop names the caller as customerId/m,
  );
  assert.match(text, /thousands of instructions that a check takes, about \d+\.\d k in all/);
  assert.match(text, /Counted by bench\/step-costs\.ts on .*Node \d/);
  project.remove();
});
