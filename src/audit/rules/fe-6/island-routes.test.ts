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

test("a route is found however it is written down", async () => {
  for (const served of [
    `JSON.parse('{"routes":{"GET /api/staff":0}}')`,
    'call(["GET","/api/staff"])',
    'fetch("/api/"+"staff")',
    'fetch(`/api/${"staff"}`)',
    'fetch(["/api","staff"].join("/"))',
    'call("GET ".concat("/api/staff"))',
    "call(`GET /api/staff`)",
    'const b="/api/";const go=()=>fetch(b+"staff")',
    'call("\\x47ET /\\u0061pi/staff")',
    'fetch("https://localhost:8443/api/staff?all=1")',
    'fetch("/api/cakes/all/")',
  ]) {
    const { state, evidence } = await look(served);
    assert.equal(state, "failed", served);
    assert.match(evidence[0]?.about ?? "", /none of its sources names: .*\/api\/(staff|cakes\/all)/);
  }
});

test("what is put together at run time, and may be a route that no source names, is told to be unclear", async () => {
  for (const served of [
    'fetch("/api/"+x)',
    "fetch(`${x}/staff`)",
    "call(`GET /api/${x}`)",
    'fetch(["/api",x].join("/"))',
    'let b="/api/";b=y;fetch(b+"staff")',
  ]) {
    const { state, reason } = await look(served);
    assert.equal(state, "missing", served);
    assert.match(reason ?? "", /put together at run time may be .*\/api\/staff/);
  }
  const { state, reason } = await look('({"GET /api/staff":0');
  assert.equal(state, "missing");
  assert.match(reason ?? "", /can't be read as a script/);
});

test("comments, other texts and what a source puts together in the same way are no finding", async () => {
  for (const served of [
    'fetch("/api/cakes");// GET /api/staff',
    '/* "GET /api/staff" */({routes:{"GET /api/cakes":0}})',
    'fetch("/"+x);y=a+" "+b;z=`${a}[${b}]`',
    'say("/api/staffing"+" is fun")',
  ])
    assert.equal((await look(served)).state, "passed", served);
  const joining = { "lib/ask.ts": "export const ask = (kind: string) => fetch(`/api/${kind}`);" };
  assert.equal((await look('const k=e=>fetch("/api/"+e)', joining)).state, "passed");
});

test("what a bundler folds is what the source says, and what stands beside an import hides it from nobody", async () => {
  const served = '({routes:{"GET /api/cakes":0}})';
  for (const ask of [
    'export const ask = () => api(`${"GET"} /api/cakes`);',
    'const path = "/api/cakes" as const; export const ask = () => api(`GET ${path}`);',
    'export const ask = () => api("GET /api/" + "cakes");',
  ])
    assert.equal((await look(served, { "lib/ask.ts": ask })).state, "passed", ask);
  const template = 'island("Cakes", {}, () => ask());';
  for (const imported of [
    '/* asks */ import { ask } from "../../lib/ask";',
    'import /* asks */ { ask } from "../../lib/ask";',
    'const a = "x"; import { ask } from "../../lib/ask";',
    'const { ask } = await import("../../lib/ask");',
  ]) {
    const files = { "templates/shop/Cakes.island.tsx": `${imported}\nexport const Cakes = ${template}` };
    assert.equal((await look(served, files)).state, "passed", imported);
  }
});

test("a route that a source names in a comment alone, or puts together from what it is told, is named by none", async () => {
  const served = '({routes:{"GET /api/cakes":0}})';
  const inComment = { "lib/ask.ts": "// GET /api/cakes\nexport const ask = () => 0;" };
  assert.equal((await look(served, inComment)).state, "failed");
  const told = { "lib/ask.ts": "export const ask = (kind: string) => api(`GET /api/${kind}`);" };
  assert.equal((await look(served, told)).state, "missing");
});

test("a script that nests deeply or joins thousands of texts is read, or told not to be", async () => {
  const long = Array.from({ length: 5000 }, () => '"/api/"').join("+");
  assert.equal((await look(`x=${long}`)).state, "passed");
  assert.equal((await look(`x=${"[".repeat(100_000)}${"]".repeat(100_000)}`)).state, "missing");
});
