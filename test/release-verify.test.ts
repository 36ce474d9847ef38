import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { OutgoingHttpHeaders } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { command } from "./support/command.ts";
import { decodeRelease, detachManifest, encodeRelease, securityHeaders } from "../src/contract/index.ts";
import type { Header, Release, ReleaseInput } from "../src/contract/index.ts";
import { createEdgeServer, developmentCertificate } from "../src/edge/index.ts";
import type { EdgeServer } from "../src/edge/index.ts";
import { verifyHost } from "../src/release/index.ts";
import type { HostReport } from "../src/release/index.ts";
import { createHostClient, createKeyFile } from "../src/release/node.ts";

// A real edge, and before it a host that lies: what a broken-into CDN could do, one thing at a time.

const folder = mkdtempSync(join(tmpdir(), "curtainwall-verify-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const certificate = await developmentCertificate({ folder, hosts: ["localhost"] });

const policy = "default-src 'none'; script-src 'sha256-AAAA'; img-src 'self'; frame-ancestors 'none'";
const html: Header[] = [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-cache"],
  ["vary", "accept-encoding"],
  ...securityHeaders(policy),
];

function page(path: string, words: string): ReleaseInput {
  const identity = Buffer.from(`<!doctype html><title>Bread</title>${words.repeat(300)}`);
  const bytes = {
    identity,
    br: brotliCompressSync(identity),
    gzip: gzipSync(identity),
    zstd: zstdCompressSync(identity),
  };
  return { path, headers: html, bytes };
}

const inputs: ReleaseInput[] = [
  page("/", "Rye. "),
  page("/a b/é.html", "Spelt. "),
  page("/404.html", "Nothing here. "),
  page("/ü b/404.html", "Nichts hier. "),
  { path: "/empty.txt", headers: [["content-type", "text/plain"]], bytes: { identity: new Uint8Array(0) } },
];
const pack = await encodeRelease(inputs, {
  notFound: "/404.html",
  redirects: [{ path: "/old", to: "/", status: 308 }],
});
const release: Release = await decodeRelease(pack);

interface Served {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
  /** Sent before it, with status 103. */
  hints?: Record<string, string>;
  trailers?: OutgoingHttpHeaders;
}
type Tamper = (served: Served, path: string) => Served;

let edge: EdgeServer;
let edgePort = 0;
let tamper: Tamper = (served) => served;
const proxy = createServer({ cert: certificate.cert, key: certificate.key }, (incoming, outgoing) => {
  const path = incoming.url ?? "/";
  const headers = { ...incoming.headers, host: "localhost" };
  request(
    { host: "127.0.0.1", port: edgePort, path, headers, ca: certificate.ca, servername: "localhost" },
    (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const { connection: _, ...kept } = answer.headers;
        const served = tamper(
          { status: answer.statusCode ?? 0, headers: kept, body: Buffer.concat(chunks) },
          path,
        );
        delete served.headers["content-length"];
        if (served.hints !== undefined) outgoing.writeEarlyHints(served.hints);
        outgoing.writeHead(served.status, served.headers);
        outgoing.write(served.body);
        if (served.trailers !== undefined) outgoing.addTrailers(served.trailers);
        outgoing.end();
      });
    },
  ).end();
});
let origin = "";

before(async () => {
  edge = createEdgeServer({ release, origin: "https://localhost", certificate });
  edgePort = (await edge.listen({ host: "127.0.0.1", port: 0 })).port;
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  origin = `https://localhost:${(proxy.address() as AddressInfo).port}`;
});
after(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await edge.close(0);
});

async function verify(change: Tamper, encodings?: string[]): Promise<HostReport> {
  tamper = change;
  const client = createHostClient({ origin, ca: certificate.ca });
  try {
    const ask = client.ask;
    return await verifyHost({
      manifest: release.manifest,
      origin,
      ask,
      ...(encodings === undefined ? {} : { encodings }),
    });
  } finally {
    client.close();
  }
}

const words = ({ differences }: HostReport): string[] =>
  differences.map((entry) => [entry.path, entry.what, ...("name" in entry ? [entry.name] : [])].join(" "));

/** Changes one header of one page. */
const withHeader =
  (name: string, value: string | string[] | undefined): Tamper =>
  (served, path) => {
    if (path !== "/") return served;
    const { [name]: _, ...others } = served.headers;
    return { ...served, headers: value === undefined ? others : { ...others, [name]: value } };
  };

test("A host that serves the release is found unchanged, however it compresses, on every path, with its redirects and its 404 page", async () => {
  const report = await verify((served) => served);
  assert.deepEqual(report.differences, []);
  assert.equal(report.checked, 8);
  const thorough = await verify((served) => served, ["identity", "gzip", "br", "zstd"]);
  assert.deepEqual(thorough.differences, []);
  assert.equal(thorough.checked, 5 * 4 + 3);
});

test("A host that compresses by itself, adds its own headers and sends to itself is not blamed for that", async () => {
  const report = await verify((served, path) => {
    if (path === "/a%20b/%C3%A9.html")
      return { status: 301, headers: { location: "/a%20b/%C3%A9.html?v=1" }, body: Buffer.from("") };
    const headers = {
      ...served.headers,
      server: "cdn",
      age: "7",
      "alt-svc": 'h3=":443"; ma=86400',
      vary: "Origin, Accept-Encoding",
    };
    return { ...served, headers };
  });
  assert.deepEqual(report.differences, []);
});

test("A host that sends redirects with the headers of its 404 page, as Cloudflare does, is not blamed", async () => {
  const report = await verify((served, path) =>
    path === "/old"
      ? { ...served, headers: { ...Object.fromEntries(html), location: served.headers.location } }
      : served,
  );
  assert.deepEqual(report.differences, []);
});

suite("A tampering host is noticed, and what it changed is named", () => {
  const attacks: [what: string, change: Tamper, found: string[]][] = [
    [
      "one byte",
      (served, path) =>
        path === "/"
          ? {
              ...served,
              headers: { ...served.headers, "content-encoding": "gzip" },
              body: gzipSync(Buffer.from(String(inputs[0]?.bytes.identity).replace("Rye", "Bye"))),
            }
          : served,
      ["/ bytes"],
    ],
    [
      "one byte for those who take zstd only",
      (served, path) =>
        path === "/" && served.headers["content-encoding"] === "zstd"
          ? { ...served, body: zstdCompressSync(Buffer.from("evil")) }
          : served,
      ["/ bytes"],
    ],
    [
      "a script at the end",
      (served, path) => (path === "/empty.txt" ? { ...served, body: Buffer.from("<script>") } : served),
      ["/empty.txt unreadable"],
    ],
    [
      "a broken encoding",
      (served, path) => (path === "/" ? { ...served, body: Buffer.from("no brotli") } : served),
      ["/ unreadable"],
    ],
    ["an encoding nobody knows", withHeader("content-encoding", "dcb"), ["/ unreadable"]],
    [
      "a bomb",
      (served, path) =>
        path === "/"
          ? {
              ...served,
              headers: { ...served.headers, "content-encoding": "gzip" },
              body: gzipSync(Buffer.alloc(50_000_000)),
            }
          : served,
      ["/ unreadable"],
    ],
    [
      "a header that is gone",
      withHeader("x-content-type-options", undefined),
      ["/ header-missing x-content-type-options"],
    ],
    [
      "a policy that is gone",
      withHeader("content-security-policy", undefined),
      ["/ header-missing content-security-policy"],
    ],
    [
      "a weaker policy",
      withHeader("content-security-policy", policy.replace("'sha256-AAAA'", "'unsafe-inline'")),
      ["/ header-changed content-security-policy"],
    ],
    [
      "a header twice",
      withHeader("referrer-policy", ["same-origin", "unsafe-url"]),
      ["/ header-twice referrer-policy"],
    ],
    [
      "access for every origin",
      withHeader("access-control-allow-origin", "*"),
      ["/ header-added access-control-allow-origin"],
    ],
    ["a cookie", withHeader("set-cookie", "id=1"), ["/ header-added set-cookie"]],
    ["a stylesheet by header", withHeader("link", "</x.css>; rel=stylesheet"), ["/ header-added link"]],
    [
      "another host for the same bytes",
      withHeader("alt-svc", 'h2="evil.example:443"'),
      ["/ header-added alt-svc"],
    ],
    ["another type", withHeader("content-type", "text/plain"), ["/ header-changed content-type"]],
    [
      "a page that is missing",
      (served, path) => (path === "/" ? { ...served, status: 404 } : served),
      ["/ missing"],
    ],
    [
      "a page that is an error",
      (served, path) => (path === "/" ? { ...served, status: 503 } : served),
      ["/ status"],
    ],
    [
      "a redirect to somebody else",
      (served, path) =>
        path === "/" ? { ...served, status: 302, headers: { location: "https://evil.example/" } } : served,
      ["/ redirect"],
    ],
    [
      "a redirect in circles",
      (served, path) => (path === "/" ? { ...served, status: 302, headers: { location: "/" } } : served),
      ["/ redirect"],
    ],
    [
      "a redirect that leads elsewhere",
      (served, path) =>
        path === "/old"
          ? { ...served, headers: { ...served.headers, location: "https://evil.example/" } }
          : served,
      ["/old redirect"],
    ],
    [
      "a redirect that sets a cookie",
      (served, path) =>
        path === "/old" ? { ...served, headers: { ...served.headers, "set-cookie": "id=1" } } : served,
      ["/old header-added set-cookie"],
    ],
    [
      "a redirect without what keeps browsers on HTTPS",
      (served, path) => {
        const { "strict-transport-security": _, ...headers } = served.headers;
        return path === "/old" ? { ...served, headers } : served;
      },
      ["/old header-missing strict-transport-security"],
    ],
    [
      "a cookie on the way to the host's own spelling of a path",
      (served, path) =>
        path === "/"
          ? { status: 301, headers: { location: "/?v=1", "set-cookie": "id=1" }, body: Buffer.from("") }
          : served,
      ["/ header-added set-cookie"],
    ],
    [
      "a stylesheet by an early hint",
      (served, path) =>
        path === "/"
          ? { ...served, hints: { link: "<https://evil.example/x.css>; rel=preload; as=style" } }
          : served,
      ["/ hint link"],
    ],
    [
      "a header after the body",
      (served, path) => (path === "/" ? { ...served, trailers: { "set-cookie": "id=1" } } : served),
      ["/ trailer set-cookie"],
    ],
    [
      "the root's 404 page in a folder that has its own",
      (served, path) =>
        served.status === 404 && path.startsWith("/%C3%BC%20b/")
          ? { ...served, body: Buffer.from("Nothing here. ".repeat(200)) }
          : served,
      ["/ü b/curtainwall-verify-nothing-is-here-7f3a unreadable"],
    ],
    [
      "another 404 page",
      (served) =>
        served.status === 404
          ? { ...served, headers: { "content-type": "text/html" }, body: Buffer.from("<script>") }
          : served,
      [],
    ],
  ];
  for (const [what, change, found] of attacks) {
    test(what, async () => {
      const report = await verify(change, what.includes("zstd") ? ["zstd", "br"] : undefined);
      if (found.length > 0) assert.deepEqual(words(report), found);
      else
        assert.ok(
          report.differences.length > 5 &&
            report.differences.every(({ path }) => path.includes("nothing-is-here")),
        );
    });
  }

  test("and of a policy it says what is permitted now", async () => {
    const { differences } = await verify(
      withHeader("content-security-policy", policy.replace("img-src 'self'", "img-src *")),
    );
    assert.deepEqual(
      differences.map((entry) => ("permits" in entry ? entry.permits : [])),
      [["img-src *"]],
    );
  });
});

test("A host that does not answer is unreachable, on every path", async () => {
  const client = createHostClient({ origin: "https://localhost:1" });
  const { differences } = await verifyHost({
    manifest: release.manifest,
    origin: "https://localhost:1",
    ask: client.ask,
  });
  assert.ok(differences.length === 8 && differences.every(({ what }) => what === "unreachable"));
});

test("curtainwall verify says which file changed and exits with 1, with 0 when none did; a manifest from the network is refused", async () => {
  const manifest = join(folder, "site.manifest");
  writeFileSync(
    manifest,
    await detachManifest({ size: pack.length, read: (at, length) => pack.slice(at, at + length) }),
  );
  const ca = join(folder, "authority.pem");
  writeFileSync(ca, certificate.ca);
  const run = async (...args: string[]): Promise<{ code: unknown; out: string; words: string }> => {
    const child = spawn(process.execPath, [...command, "verify", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    const words: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => words.push(chunk));
    const [code] = (await once(child, "close")) as unknown[];
    return { code, out: String(Buffer.concat(chunks)), words: String(Buffer.concat(words)) };
  };
  tamper = (served) => served;
  const unsigned = await run(origin, "--manifest", manifest, "--ca", ca);
  assert.deepEqual([unsigned.code, unsigned.out], [0, ""]);
  assert.match(unsigned.words, /no signature checked/);
  const stranger = await run(origin, "--manifest", manifest);
  assert.match(stranger.words, /from no authority that is known here[^]*--ca <file\.pem>/);
  const inFolder = await run(origin, "--manifest", folder);
  assert.deepEqual([inFolder.code, /is a folder without/.test(inFolder.words)], [2, true]);

  // Nobody signed this manifest, and the contract in the folder says who must have.
  const pinned = join(folder, "pinned");
  mkdirSync(pinned);
  const [program, key] = ["program", "release"].map(
    (name) => createKeyFile(join(pinned, name), undefined).text,
  );
  writeFileSync(
    join(pinned, "curtainwall.config.mjs"),
    `import { defineStack } from ${JSON.stringify(new URL("../src/contract/index.ts", import.meta.url).href)};
export default defineStack({ origin: "https://localhost", keys: ${JSON.stringify({ program, release: key })} });`,
  );
  const refused = await run(origin, pinned, "--manifest", manifest, "--ca", ca);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(refused.words, /RELEASE_SIGNATURE_INVALID/);
  tamper = withHeader("strict-transport-security", undefined);
  const changed = await run(origin, "--manifest", manifest, "--ca", ca);
  assert.equal(changed.code, 1);
  assert.match(
    changed.out,
    /^\/ {2}header-missing strict-transport-security: released "max-age=\d+; includeSubDomains"\n$/,
  );
  const json = await run(origin, "--manifest", manifest, "--ca", ca, "--json");
  assert.equal((JSON.parse(json.out) as HostReport).differences.length, 1);
  assert.equal((await run(origin, "--manifest", `${origin}/manifest`)).code, 2);
});
