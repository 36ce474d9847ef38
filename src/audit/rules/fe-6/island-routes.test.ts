import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { builtRelease } from "../../../../test/support/built-release.ts";
import { makeProject } from "../../../../test/support/project.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { runCheck } from "../../check.ts";
import { openContext } from "../../node/open-context.ts";
import type { AuditCheck } from "../../report.ts";
import { islandRoutes } from "./island-routes.ts";

const config = `
import { defineStack, everyone, none, upstream } from "curtainwall";
import { z } from "zod";
const route = { access: everyone, limit: "9/min per client", response: none, to: "shop" } as const;
export default defineStack({
  origin: "https://localhost:8443",
  site: { content: "content", templates: "templates", collections: { pages: z.object({ title: z.string() }) } },
  upstreams: { shop: upstream({ url: "https://shop.internal" }) },
  routes: { "GET /api/cakes": route, "GET /api/cakes/all": route, "GET /api/staff": route },
});
`;

/** What the island is made of. */
const sources: Readonly<Record<string, string>> = {
  "templates/shop/Cakes.island.tsx": `
import { island } from "curtainwall/island";
import type stack from "../../curtainwall.config.ts";
import { ask } from "../../lib/ask";
export const Cakes = island("Cakes", {}, () => <button onClick={() => ask()}>Cakes</button>);
`,
  "lib/ask.ts": `
import { createClient } from "curtainwall/client";
const api = createClient();
export const ask = () => api("GET /api/cakes");
`,
};

const { root, remove } = await makeProject({
  config,
  files: {
    ...sources,
    "content/pages/index.md": "---\ntitle: Home\n---\nBread.\n",
    "templates/pages.tsx": `
import { Content } from "curtainwall/template";
import { Cakes } from "./shop/Cakes.island.tsx";
export const page = ({ entry }) => <html lang="en"><head><title>x</title></head><body><Content of={entry} /><Cakes /></body></html>;
`,
  },
});
after(remove);
const { contract, release } = await builtRelease(root);
const island = release.manifest.files.find(({ path }) => path.includes("/_islands/Cakes."));
const [variant] = island?.variants ?? [];
assert.ok(island !== undefined && variant !== undefined);
const built = Buffer.from(release.body.subarray(variant.offset, variant.offset + variant.length)).toString();

let script = built;
const { ca, cert, key } = await testCertificate();
const server = createServer({ cert, key }, ({ url }, response) => {
  if (url !== island.path) return void response.writeHead(404).end();
  response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" }).end(script);
});
await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
after(() => {
  server.close();
  server.closeAllConnections();
});
const target = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);

/** What is said of the site with these files, whose island is served as this script. */
async function look(served: string, files: Readonly<Record<string, string>> = {}): Promise<AuditCheck> {
  script = served;
  for (const [file, text] of Object.entries({ ...sources, "templates/page.tsx": "", ...files }))
    writeFileSync(join(root, file), text);
  const { context, close } = await openContext({ contract, release, target, ca, root, timeoutMs: 20_000 });
  try {
    return await runCheck(islandRoutes, "FE-6", context);
  } finally {
    await close();
  }
}

test("an island as it was built carries what its sources name, and no more", async () => {
  assert.match(built, /GET \/api\/cakes/);
  assert.equal((await look(built)).state, "passed");
  const { state, evidence } = await look(built.replaceAll("/api/cakes", "/api/staff"));
  assert.equal(state, "failed");
  assert.ok(evidence[0]?.about.endsWith("none of its sources names: GET /api/staff"));
});

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
  // The parser's stack holds 4000 of them before its code is optimised, which a busy machine does late.
  const long = Array.from({ length: 2000 }, () => '"/api/"').join("+");
  assert.equal((await look(`x=${long}`)).state, "passed");
  assert.equal((await look(`x=${"[".repeat(100_000)}${"]".repeat(100_000)}`)).state, "missing");
});
