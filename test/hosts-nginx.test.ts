import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Release } from "../src/contract/index.ts";
import { emitNginx } from "../src/hosts/index.ts";
import { requires } from "./requires.ts";
import { bakeryRelease } from "./support/bakery-release.ts";
import {
  compare,
  compareHttp2,
  compareRevalidation,
  pageRequests,
  targetOf,
} from "./support/host-compare.ts";
import {
  ask,
  certificate,
  declaredSite,
  openHttp2,
  startEdge,
  startNginx,
  temporaryFolder,
  writeEmission,
} from "./support/host-servers.ts";
import type { Door } from "./support/host-servers.ts";
import { hostileRelease } from "./support/host-site.ts";

const nginx = requires("nginx");
const options = { skip: nginx.skip, timeout: 120_000 };

/** What a 200 of nginx has and the edge's doesn't; its tags are the same digest, written otherwise. */
const ofPages = ["200 +accept-ranges", "200 +server", "200 ~etag"];

interface Pair {
  edge: Door;
  host: Door;
}

async function serveBoth(context: TestContext, release: Release): Promise<Pair> {
  const folder = temporaryFolder(context);
  const certificateFiles = { chainFile: join(folder, "chain.pem"), keyFile: join(folder, "key.pem") };
  writeFileSync(certificateFiles.chainFile, certificate.cert);
  writeFileSync(certificateFiles.keyFile, certificate.key);
  const emission = emitNginx(declaredSite(release), {
    folder,
    listen: [`unix:${folder}/s ssl http2`],
    certificate: certificateFiles,
  });
  writeEmission(folder, emission, release);
  return {
    edge: await startEdge(context, release),
    host: await startNginx(context, nginx.path, folder),
  };
}

test(
  "nginx sends every page of the bakery with the edge's status, headers and bytes",
  options,
  async (context) => {
    const release = await bakeryRelease(context);
    const { edge, host } = await serveBoth(context, release);
    const found = await compare(edge, host, pageRequests(release));
    assert.deepEqual([...found.keys()].sort(), ofPages, JSON.stringify([...found]));
  },
);

test(
  "nginx sends files with hostile names and headers as the edge does, over both protocols",
  options,
  async (context) => {
    const release = await hostileRelease();
    const { edge, host } = await serveBoth(context, release);
    const found = await compare(edge, host, pageRequests(release));
    assert.deepEqual([...found.keys()].sort(), ofPages, JSON.stringify([...found]));
    const sessions = [openHttp2(context, edge), openHttp2(context, host)] as const;
    const foundHttp2 = await compareHttp2(...sessions, pageRequests(release));
    assert.deepEqual([...foundHttp2.keys()].sort(), ofPages, JSON.stringify([...foundHttp2]));
  },
);

test("nginx refuses and moves what the edge refuses and moves", options, async (context) => {
  const release = await hostileRelease();
  const { edge, host } = await serveBoth(context, release);
  const found = await compare(edge, host, [
    { path: "/nothing" },
    { path: "/nothing", headers: { "accept-encoding": "br" } },
    { path: "/nothing", method: "HEAD", headers: { "accept-encoding": "gzip" } },
    { path: "/nothing", method: "POST" },
    { path: "/index.html" },
    { path: "/about/index.html" },
    { path: "/gone" },
    { path: "/ABOUT/" },
    { path: "/About" },
    { path: "/cAsE.txt" },
    { path: "/case.txt%20" },
    { path: "/about/%20/about/" },
    { path: "/nginx/http.conf" },
    { path: `/${release.manifest.files[0]?.variants[0]?.sha256}` },
    { path: `/blobs/${release.manifest.files[0]?.variants[0]?.sha256}` },
    { path: "/about" },
    { path: "/about/team?a=1&b=$uri" },
    { path: "/about", method: "HEAD" },
    { path: "/", method: "POST" },
    { path: "/about", method: "POST" },
    { path: "/", method: "DELETE" },
    { path: "/", method: "OPTIONS" },
    { path: "/", headers: { host: "other.test" } },
  ]);
  assert.deepEqual(
    [...found.keys()].sort(),
    [
      "308 +content-type",
      "308 +server",
      "308 body",
      "404 +server",
      "405 +server",
      "405 body",
      "405 ~content-type",
      "421 +server",
      "421 body",
      "421 ~content-type",
    ],
    JSON.stringify([...found]),
  );
});

test("nginx answers 304 whenever the edge does", options, async (context) => {
  const release = await hostileRelease();
  const { edge, host } = await serveBoth(context, release);
  const found = new Set<string>();
  for (const path of ["/", "/empty", targetOf("/a b/é.txt")])
    for (const what of await compareRevalidation(edge, host, path)) found.add(what.replace(/^.*: /, ""));
  assert.deepEqual([...found].sort(), [...ofPages, "304 +server", "304 ~etag"].sort());
});

test("nginx sends a range of a file, whose tag names its bytes and encoding", options, async (context) => {
  const release = await hostileRelease();
  const { host } = await serveBoth(context, release);
  const whole = await ask(host, { path: "/site.css", headers: { "accept-encoding": "br" } });
  const part = await ask(host, {
    path: "/site.css",
    headers: { "accept-encoding": "br", range: "bytes=1-4" },
  });
  assert.equal(part.status, 206);
  assert.deepEqual(part.body, whole.body.subarray(1, 5));
  const without = (name: string) => name !== "content-range" && name !== "content-length" && name !== "date";
  assert.deepEqual(
    part.headers.filter(([name]) => without(name)),
    whole.headers.filter(([name]) => without(name) && name !== "accept-ranges"),
  );
  const many = await ask(host, { path: "/site.css", headers: { range: "bytes=0-0,2-2" } });
  assert.equal(many.status, 200);
  const beyond = await ask(host, { path: "/site.css", headers: { range: "bytes=999999-" } });
  assert.equal(beyond.status, 416);
  assert.ok(beyond.headers.some(([name]) => name === "content-security-policy"));
});

test("what nginx refuses by itself carries the security headers too", options, async (context) => {
  const release = await hostileRelease();
  const { edge, host } = await serveBoth(context, release);
  const differ: string[] = [];
  for (const path of [
    "/%zz",
    "/%00",
    "/..%2f..%2fetc/passwd",
    "/a//b",
    "//about/",
    "/about/../about/",
    "/%ff",
    "/about%2F",
    "/./about/",
    `/${"x".repeat(9000)}`,
  ]) {
    const [expected, actual] = await Promise.all([ask(edge, { path }), ask(host, { path })]);
    assert.ok(
      actual.headers.some(
        ([name, value]) => name === "content-security-policy" && value.startsWith("default-src 'none'"),
      ),
      path,
    );
    assert.ok(
      actual.headers.some(([name, value]) => name === "x-content-type-options" && value === "nosniff"),
      path,
    );
    if (expected.status !== actual.status)
      differ.push(`${path.slice(0, 30)} ${expected.status} ${actual.status}`);
  }
  // Bytes that are no UTF-8: malformed to the edge, merely not there to nginx.
  assert.deepEqual(differ, ["/%ff 400 404"]);
});
