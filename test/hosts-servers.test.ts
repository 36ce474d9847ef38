import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { decodeRelease, encodeRelease } from "../src/contract/index.ts";
import type { Release, ReleaseInput } from "../src/contract/index.ts";
import { emitHost } from "../src/hosts/index.ts";
import type { DeclaredFile, DeclaredRedirect, DeclaredSite, Emission } from "../src/hosts/index.ts";
import { requires } from "./requires.ts";
import { bakeryRelease } from "./support/bakery-release.ts";
import {
  compare,
  compareHttp2,
  compareRevalidation,
  oddTargets,
  pageRequests,
  refusedRequests,
  targetOf,
} from "./support/host-compare.ts";
import {
  ask,
  certificate,
  declaredSite,
  hostname,
  nginxMain,
  openHttp2,
  startCaddy,
  startEdge,
  startNginx,
  temporaryFolder,
  writeEmission,
} from "./support/host-servers.ts";
import type { Door, HostAnswer } from "./support/host-servers.ts";
import { foldersRelease, hostileRelease, missingPaths } from "./support/host-site.ts";

type Certificate = { chainFile: string; keyFile: string };

/** A server, and everything in which it differs from our edge: the README of `hosts` has the same lists. */
interface Server {
  readonly name: "nginx" | "caddy";
  readonly emit: (site: DeclaredSite, folder: string, certificate: Certificate) => Emission;
  readonly start: (context: TestContext, program: string, folder: string) => Promise<Door>;
  readonly pages: readonly string[];
  /** Of a 404. */
  readonly missing: readonly string[];
  readonly revalidated: readonly string[];
  readonly refusals: readonly string[];
  /** Statuses that differ for what no browser sends. */
  readonly odd: readonly string[];
  /** Targets that the server's parser refuses before its configuration is asked: no security headers. */
  readonly bare: readonly string[];
}

const servers: readonly Server[] = [
  {
    name: "nginx",
    emit: (site, folder, pair) =>
      emitHost("nginx", site, {
        nginx: { folder, certificate: pair, listen: [`unix:${folder}/s ssl http2`] },
      }),
    start: startNginx,
    pages: ["200 +server", "200 ~etag"],
    missing: ["404 +server"],
    revalidated: ["304 +server", "304 ~etag"],
    refusals: [
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
    odd: ["/%ff 400 404"],
    bare: [],
  },
  {
    name: "caddy",
    emit: (site, folder, pair) =>
      emitHost("caddy", site, { caddy: { folder, certificate: pair, listen: [`unix/${folder}/s`] } }),
    start: startCaddy,
    pages: ["200 ~etag"],
    missing: [],
    revalidated: ["304 ~etag"],
    refusals: ["405 -content-type", "405 body", "421 -content-type", "421 body"],
    odd: ["/%ff 400 404", `/${"x".repeat(29)} 414 404`],
    bare: ["/%zz"],
  },
];

interface Pair {
  readonly edge: Door;
  readonly host: Door;
}

for (const server of servers) {
  const program = requires(server.name);
  const options = { skip: program.skip, timeout: 120_000 };

  const startHost = (context: TestContext, release: Release, site: DeclaredSite): Promise<Door> => {
    const folder = temporaryFolder(context);
    const files = { chainFile: join(folder, "chain.pem"), keyFile: join(folder, "key.pem") };
    writeFileSync(files.chainFile, certificate.cert);
    writeFileSync(files.keyFile, certificate.key);
    writeEmission(folder, server.emit(site, folder, files), release);
    return server.start(context, program.path, folder);
  };

  const serveBoth = async (context: TestContext, release: Release): Promise<Pair> => ({
    edge: await startEdge(context, release),
    host: await startHost(context, release, declaredSite(release)),
  });

  suite(`what ${server.name} serves is what the edge serves`, options, () => {
    test("every page of the bakery: status, headers and bytes", async (context) => {
      const release = await bakeryRelease(context);
      const { edge, host } = await serveBoth(context, release);
      const found = await compare(edge, host, pageRequests(release));
      assert.deepEqual([...found.keys()].sort(), server.pages, JSON.stringify([...found]));
    });

    test("names and header values that are syntax somewhere, over both protocols", async (context) => {
      const release = await hostileRelease();
      const { edge, host } = await serveBoth(context, release);
      const found = await compare(edge, host, pageRequests(release));
      assert.deepEqual([...found.keys()].sort(), server.pages, JSON.stringify([...found]));
      const sessions = [openHttp2(context, edge), openHttp2(context, host)] as const;
      const overHttp2 = await compareHttp2(...sessions, pageRequests(release));
      assert.deepEqual([...overHttp2.keys()].sort(), server.pages, JSON.stringify([...overHttp2]));
    });

    test("any name and any header value", async (context) => {
      const release = await randomRelease();
      const { edge, host } = await serveBoth(context, release);
      const sessions = [openHttp2(context, edge), openHttp2(context, host)] as const;
      const requests = release.manifest.files.map(({ path }) => ({ path: targetOf(path) }));
      const found = await compareHttp2(...sessions, requests);
      assert.deepEqual(
        [...found.keys()].sort(),
        server.pages.filter((what) => what !== "404 +server"),
        JSON.stringify([...found]),
      );
    });

    test("what leads to no page is refused, and folders get their slash", async (context) => {
      const release = await hostileRelease();
      const { edge, host } = await serveBoth(context, release);
      const found = await compare(edge, host, refusedRequests(release));
      assert.deepEqual([...found.keys()].sort(), server.refusals, JSON.stringify([...found]));
    });

    test("what is not there gets the 404 page of its nearest folder, compressed or not", async (context) => {
      const release = await foldersRelease();
      const { edge, host } = await serveBoth(context, release);
      const found = await compare(
        edge,
        host,
        missingPaths.flatMap((path) =>
          ["identity", "br", "gzip"].map((encoding) => ({ path, headers: { "accept-encoding": encoding } })),
        ),
      );
      assert.deepEqual([...found.keys()].sort(), server.missing, JSON.stringify([...found]));
      const texts = await Promise.all(
        missingPaths.map(async (path) => (await ask(host, { path })).body.toString().slice(0, 20).trim()),
      );
      assert.deepEqual(texts, ["root", "de", "de", "de at", "root", "odd", "de"]);
    });

    test("304 for who has the bytes, however the tag is written", async (context) => {
      const release = await hostileRelease();
      const { edge, host } = await serveBoth(context, release);
      const found = new Set<string>();
      for (const path of ["/", "/empty", targetOf("/a b/é.txt")])
        for (const what of await compareRevalidation(edge, host, path)) found.add(what.replace(/^.*: /, ""));
      assert.deepEqual([...found].sort(), [...server.pages, ...server.revalidated].sort());
    });

    test("targets that no browser sends are refused, with the security headers", async (context) => {
      const release = await hostileRelease();
      const { edge, host } = await serveBoth(context, release);
      const odd: string[] = [];
      const bare: string[] = [];
      for (const path of oddTargets) {
        const [expected, actual] = await Promise.all([ask(edge, { path }), ask(host, { path })]);
        if (!valueOf(actual, "content-security-policy").startsWith("default-src 'none'")) bare.push(path);
        if (expected.status !== actual.status)
          odd.push(`${path.slice(0, 30)} ${expected.status} ${actual.status}`);
      }
      assert.deepEqual({ odd, bare }, { odd: server.odd, bare: server.bare });
    });
  });

  suite(`what ${server.name} does beside that`, options, () => {
    test("a range of a file has the tag and the encoding of the whole", async (context) => {
      const release = await hostileRelease();
      const { host } = await serveBoth(context, release);
      const headers = { "accept-encoding": "br" };
      const whole = await ask(host, { path: "/site.css", headers });
      const part = await ask(host, { path: "/site.css", headers: { ...headers, range: "bytes=1-4" } });
      assert.equal(part.status, 206);
      assert.deepEqual(part.body, whole.body.subarray(1, 5));
      for (const name of ["etag", "content-encoding", "content-type", "content-security-policy", "vary"])
        assert.equal(valueOf(part, name), valueOf(whole, name), name);
      const tag = valueOf(whole, "etag");
      for (const [condition, status] of [
        [tag, 206],
        [`"${"0".repeat(64)}"`, 200],
        [`W/${tag}`, 200],
        ["Sun, 22 Nov 2026 02:30:55 GMT", 200],
      ] as const) {
        const conditional = { ...headers, range: "bytes=1-4", "if-range": condition };
        assert.equal(
          (await ask(host, { path: "/site.css", headers: conditional })).status,
          status,
          condition,
        );
      }
      const missing = await ask(host, { path: "/nothing", headers: { range: "bytes=1-4" } });
      assert.equal(missing.status, 404);
      const beyond = await ask(host, { path: "/site.css", headers: { range: "bytes=999999-" } });
      assert.equal(beyond.status, 416);
      assert.equal(valueOf(beyond, "x-content-type-options"), "nosniff");
    });

    test("declared redirects go where they say, with their status, and with the query or without", async (context) => {
      const release = await hostileRelease();
      const redirects: DeclaredRedirect[] = [
        { from: "/old", to: "/about/", status: 301 },
        { from: "/Old", to: "/about/team/", status: 302 },
        { from: "/$host {x}", to: "https://other.test/$uri?a={b}".replace("{b}", "%7Bb%7D"), status: 307 },
        { from: "/fixed/", to: "/about/?from=fixed#part", status: 308 },
      ];
      const host = await startHost(context, release, { ...declaredSite(release), redirects });
      const seen: string[] = [];
      for (const path of [
        "/old",
        "/old?a=1",
        "/Old",
        "/oLD",
        "/%24host%20%7Bx%7D",
        "/fixed/?b=2",
        "/fixed",
      ]) {
        const answer = await ask(host, { path });
        seen.push(`${path} ${answer.status} ${valueOf(answer, "location")}`);
        assert.match(valueOf(answer, "content-security-policy"), /^default-src 'none'/);
      }
      assert.deepEqual(seen, [
        "/old 301 /about/",
        "/old?a=1 301 /about/?a=1",
        "/Old 302 /about/team/",
        "/oLD 404 ",
        "/%24host%20%7Bx%7D 307 https://other.test/$uri?a=%7Bb%7D",
        "/fixed/?b=2 308 /about/?from=fixed#part",
        "/fixed 404 ",
      ]);
    });

    test("a folder's 404 page is there for the folder, also where the site has none", async (context) => {
      const release = await foldersRelease();
      const { notFound: _, ...site } = declaredSite(release);
      const host = await startHost(context, release, site);
      const bare = await ask(host, { path: "/no" });
      assert.equal(bare.status, 404);
      assert.match(valueOf(bare, "content-security-policy"), /sandbox/);
      const inFolder = await ask(host, { path: "/de/no" });
      assert.equal(inFolder.status, 404);
      assert.equal(inFolder.body.toString().trim(), "de");
    });

    test("a site without a page for 404 gets a bare one, with the security headers", async (context) => {
      const release = await hostileRelease();
      const { notFound: _, ...site } = declaredSite(release);
      const host = await startHost(context, release, site);
      const answer = await ask(host, { path: "/nothing" });
      assert.equal(answer.status, 404);
      assert.match(valueOf(answer, "content-security-policy"), /sandbox/);
    });
  });
}

test(
  "nginx takes 5,000 pages with policies of their own without a word",
  { skip: requires("nginx").skip },
  (context) => {
    const folder = temporaryFolder(context);
    const files = Array.from({ length: 5000 }, (_, at): DeclaredFile => {
      const policy = `script-src 'sha256-${createHash("sha256").update(String(at)).digest("base64")}'`;
      const digest = createHash("sha256").update(policy).digest("hex");
      const headers = [["content-security-policy", policy] as const];
      return { path: `/section-${at % 31}/page-${at}/`, headers, sha256: digest, encodings: [] };
    });
    const pair = { chainFile: join(folder, "chain.pem"), keyFile: join(folder, "key.pem") };
    writeFileSync(pair.chainFile, certificate.cert);
    writeFileSync(pair.keyFile, certificate.key);
    const options = { folder, certificate: pair, listen: [`unix:${folder}/s ssl http2`] };
    const emission = emitHost("nginx", { origin: `https://${hostname}`, files }, { nginx: options });
    mkdirSync(join(folder, "nginx"));
    for (const { path, text } of emission.files) writeFileSync(join(folder, path), text);
    writeFileSync(join(folder, "main.conf"), nginxMain(folder));
    const args = ["-t", "-q", "-p", folder, "-e", "stderr", "-c", join(folder, "main.conf")];
    const { status, stderr } = spawnSync(requires("nginx").path, args, { encoding: "utf8" });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  },
);

function valueOf(answer: HostAnswer, name: string): string {
  return answer.headers.find(([other]) => other === name)?.[1] ?? "";
}

/** Files of drawn names and header values: what the edge can serve, and nothing easier. */
function randomRelease(): Promise<Release> {
  const syntax = "{}$;\"'#~^*:%()[]| <>&=@!`".split("");
  const unit = fc.oneof(
    fc.constantFrom(...syntax, "{$A}", "${x}", "$1", "{env.A}", "\\{"),
    fc.string({ minLength: 1, maxLength: 1 }),
  );
  const value = fc
    .array(fc.oneof(unit, fc.constantFrom("\\", "\\\\", '\\"')), { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join("").trim())
    .filter((text) => /^[\u0020-\u007e]+$/.test(text));
  const segment = fc
    .array(fc.oneof(unit, fc.string({ unit: "grapheme", minLength: 1, maxLength: 2 })), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => parts.join("").replaceAll(/[\p{Cc}\\/]/gu, ""))
    .filter((text) => text !== "" && text !== "." && text !== ".." && text.isWellFormed());
  const file = fc.record({ path: fc.array(segment, { minLength: 1, maxLength: 3 }), value });
  const drawn = fc.sample(file, 400);
  const inputs = new Map<string, ReleaseInput>();
  for (const { path: segments, value: text } of drawn) {
    const path = `/${segments.join("/")}`;
    const headers = [["content-type", "text/plain"] as const, ["x-drawn", text] as const];
    inputs.set(path, { path, headers, bytes: { identity: Buffer.from(path) } });
  }
  // Enough of them, and plain enough, that Caddy's table becomes a tree.
  for (let at = 0; at < 500; at++) {
    const path = `/docs/${at % 7}/page-${at}`;
    const headers = [["content-type", "text/plain"] as const, ["x-drawn", String(at)] as const];
    inputs.set(path, { path, headers, bytes: { identity: Buffer.from(path) } });
  }
  return encodeRelease([...inputs.values()]).then(decodeRelease);
}
