import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { defineStack, everyone, none, parseContract, upstream } from "../../../contract/index.ts";
import type { ReleaseIndex } from "../../../contract/index.ts";
import { runCheck } from "../../check.ts";
import { createCommands } from "../../commands.ts";
import type { AuditContext } from "../../context.ts";
import { createSourceProbe } from "../../node/source.ts";
import type { AuditCheck } from "../../report.ts";
import { islandRoutes } from "./island-routes.ts";

const root = await mkdtemp(join(tmpdir(), "cw-islands-"));
after(() => rm(root, { recursive: true }));

const route = { access: everyone, limit: "9/min per client", response: none, to: "shop" } as const;
const contract = parseContract(
  defineStack({
    origin: "https://localhost:8443",
    site: { content: "content", templates: "templates", collections: {} },
    upstreams: { shop: upstream({ url: "https://shop.internal" }) },
    routes: { "GET /api/cakes": route, "GET /api/cakes/all": route, "GET /api/staff": route },
  }),
);

const island = `
  import { island } from "curtainwall/island";
  import type stack from "../../curtainwall.config.ts";
  import { ask } from "../../lib/ask";
  export const Cakes = island("Cakes", {}, () => ask());
`;
const config = 'export default ["GET /api/cakes", "GET /api/cakes/all", "GET /api/staff"];';

/** What is said of a site of these files, whose island is served as this script. */
async function look(served: string, files: Readonly<Record<string, string>> = {}): Promise<AuditCheck> {
  await rm(root, { recursive: true });
  const all = {
    "curtainwall.config.ts": config,
    "templates/shop/Cakes.island.tsx": island,
    "lib/ask.ts": "export const ask = () => api('GET /api/cakes');",
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  const response = {
    status: 200,
    headers: [],
    header: () => undefined,
    text: () => served,
    body: new Uint8Array(),
  };
  const context = {
    contract,
    declaredRoutes: contract.routes,
    release: {
      manifest: {
        files: [{ path: "/assets/_islands/Cakes.2d711642b726b044.js", headers: [], variants: [] }],
      },
    } as unknown as ReleaseIndex,
    target: new URL("https://localhost:8443"),
    isLoopback: true,
    source: createSourceProbe(root),
    caller: {
      send: (request: object) =>
        Promise.resolve({ request: { method: "GET", path: "/", headers: [], ...request }, response }),
    },
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  } as unknown as AuditContext;
  return runCheck(islandRoutes, "FE-6", context);
}

test("an island carries what its sources name, those that it imports too", async () => {
  assert.equal((await look('({routes:{"GET /api/cakes":0}})')).state, "passed");
  assert.equal((await look("({})")).state, "passed");
});

test("a route that no source of an island names is a failure, were it named elsewhere or begun like another", async () => {
  for (const key of ["GET /api/staff", "GET /api/cakes/all"]) {
    const { state, evidence } = await look(`({routes:{"GET /api/cakes":0,"${key}":0}})`, {
      "templates/page.tsx": `api("${key}")`,
    });
    assert.equal(state, "failed", key);
    assert.ok(evidence[0]?.about.endsWith(`none of its sources names: ${key}`));
  }
});

test("where an island can't be followed, what it carries shows nothing", async () => {
  const served = '({routes:{"GET /api/staff":0}})';
  const packaged = { "lib/ask.ts": 'export { ask } from "@bakery/ask";' };
  const { state, reason } = await look(served, packaged);
  assert.equal(state, "missing");
  assert.match(reason ?? "", /@bakery\/ask/);
  const other = await look(served, { "templates/shop/Cakes.island.tsx": "" });
  assert.match(other.reason ?? "", /no template here declares the island Cakes/);
});
