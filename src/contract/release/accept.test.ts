import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { isCurtainwallError } from "../../shared/index.ts";
import { everyone } from "../access.ts";
import { defineStack } from "../define.ts";
import { upstream } from "../define/upstream.ts";
import { parseContract } from "../parse.ts";
import { securityHeaders } from "../headers/security-headers.ts";
import type { Header } from "../headers/security-headers.ts";
import { acceptRelease } from "./accept.ts";
import type { Acceptance } from "./accept.ts";
import { contractDigest } from "./contract-digest.ts";
import { decodeRelease } from "./decode.ts";
import { encodeRelease } from "./encode.ts";
import { signEnvelope } from "./envelope.ts";
import type { Release, ReleaseInput } from "./format.ts";
import { programOf } from "./program.ts";
import { identityDigest, programDigest } from "./statement.ts";
import type { ReleaseStatement } from "./statement.ts";
import { makeSigner } from "./fixtures/test-keys.ts";

const site = "https://www.bakery.example";
const contract = "c".repeat(64);
const [programKey, releaseKey, otherKey] = [await makeSigner(), await makeSigner(), await makeSigner()];
const now = Date.parse("2030-01-10T00:00:00Z");

const html = (policy: string, ...more: Header[]): Header[] => [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-cache"],
  ...securityHeaders(policy),
  ...more,
];
const policy =
  "default-src 'none'; script-src 'sha256-AAAA'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const file = (path: string, headers: readonly Header[], body: string): ReleaseInput => ({
  path,
  headers,
  bytes: { identity: new TextEncoder().encode(body) },
});
const script = file("/site.js", [["content-type", "text/javascript"]], "approved()");
const pages = [file("/", html(policy), "<h1>Bread</h1>"), script];

const read = async (inputs: ReleaseInput[]): Promise<Release> => decodeRelease(await encodeRelease(inputs));
const approved = programOf((await read(pages)).manifest, { site, contract, sources: {} });

interface Change {
  statement?: Partial<ReleaseStatement>;
  programSigner?: typeof programKey;
  releaseSigner?: typeof programKey;
  program?: object;
}

async function sign(release: Release, change: Change = {}): Promise<string> {
  const document = JSON.stringify({ ...approved, ...change.program });
  const statement: ReleaseStatement = {
    format: 1,
    site,
    digest: release.digest,
    identity: await identityDigest(release.manifest),
    sequence: 7,
    created: "2030-01-01T00:00:00.000Z",
    expires: "2030-02-01T00:00:00.000Z",
    program: await programDigest(document),
    ...change.statement,
  };
  return JSON.stringify({
    release: await signEnvelope("release", JSON.stringify(statement), change.releaseSigner ?? releaseKey),
    program: await signEnvelope("program", document, change.programSigner ?? programKey),
  });
}

const acceptance: Acceptance = {
  keys: { program: programKey.publicKey, release: releaseKey.publicKey },
  site,
  contract,
  last: undefined,
  now,
};

/** The code that a release is refused with; "accepted" if it isn't. */
async function verdict(
  inputs: ReleaseInput[],
  change: Change = {},
  held: Partial<Acceptance> = {},
): Promise<string> {
  const release = await read(inputs);
  return acceptRelease(release, await sign(release, change), { ...acceptance, ...held }).then(
    () => "accepted",
    (error: unknown) => (isCurtainwallError(error) ? error.code : String(error)),
  );
}

test("A release that both keys signed is accepted, and so is one with other words and pictures", async () => {
  assert.equal(await verdict(pages), "accepted");
  const edited = [
    file("/", html(policy), "<h1>Rye is back</h1>"),
    file("/rye/", html(policy.replace("script-src 'sha256-AAAA'; ", "")), "<h1>Rye</h1>"),
    file("/rye.jpg", [["content-type", "image/jpeg"]], "picture"),
    script,
  ];
  assert.equal(await verdict(edited), "accepted");
});

suite("What a content release can't bring in", () => {
  const outside: [what: string, file: ReleaseInput][] = [
    ["an inline script", file("/x/", html(policy.replace("AAAA", "BBBB")), "<script>evil()</script>")],
    [
      "a script of another host",
      file("/x/", html(policy.replace("'sha256-AAAA'", "https://evil.example/x.js")), ""),
    ],
    ["a script file", file("/x.js", [["content-type", "text/javascript"]], "evil()")],
    [
      "a script file by another of its types",
      file("/x.js", [["content-type", "Application/X-JavaScript ;q=1"]], "evil()"),
    ],
    [
      "a script file behind a comma",
      file("/x.js", [["content-type", "text/plain, text/javascript"]], "evil()"),
    ],
    ["a stylesheet", file("/x.css", [["content-type", "text/css"]], "*{}")],
    ["WebAssembly", file("/x.wasm", [["content-type", "application/wasm"]], "")],
    ["a page without its policy's limits", file("/x/", html("img-src 'self'"), "")],
    [
      "a form that leads elsewhere",
      file("/x/", html(policy.replace("form-action 'none'", "form-action https://evil.example")), ""),
    ],
    ["a header that loads things", file("/x/", html(policy, ["link", "</x.css>; rel=stylesheet"]), "")],
    [
      "a weaker header",
      file(
        "/x/",
        html(policy).map(([name, value]) =>
          name === "x-frame-options" ? [name, "ALLOWALL"] : [name, value],
        ),
        "",
      ),
    ],
    ["a service worker's wider reach", file("/x/", html(policy, ["service-worker-allowed", "/"]), "")],
    [
      "reports about readers",
      file(
        "/x/",
        html(policy, [
          "content-security-policy-report-only",
          "script-src 'none', default-src 'none'; report-uri https://evil.example",
        ]),
        "",
      ),
    ],
    ["a policy twice", file("/x/", [...html(policy), ["content-security-policy", policy]], "")],
  ];
  for (const [what, added] of outside) {
    test(`is ${what}`, async () => {
      assert.equal(await verdict([...pages, added]), "RELEASE_OUTSIDE_PROGRAM");
    });
  }

  test("what is refused is named, by page and permission", async () => {
    const release = await read([...pages, file("/x/", html(policy.replace("AAAA", "BBBB")), "")]);
    await assert.rejects(acceptRelease(release, await sign(release), acceptance), (error) => {
      assert.ok(isCurtainwallError(error, "RELEASE_OUTSIDE_PROGRAM"));
      assert.match(error.message, /\/x\/ has a policy that permits 'sha256-BBBB' \(script-src,/);
      return true;
    });
  });
});

test("What a release calls its files can't drive the terminal of who reads why it was refused", async () => {
  const release = await read([
    ...pages,
    file("/\u001b[2J\u202e\n\u009b/x.js", [["content-type", "text/javascript"]], "evil()"),
  ]);
  await assert.rejects(acceptRelease(release, await sign(release), acceptance), (error: Error) => {
    assert.match(error.message, /is a script or style that is new/);
    // oxlint-disable-next-line no-control-regex -- the one line break is ours
    return (
      !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(error.message) &&
      error.message.split("\n").length === 2
    );
  });
});

test("A file without a policy is taken as inert, since that is what the edge sends", async () => {
  assert.equal(
    await verdict([...pages, file("/x.html", [["content-type", "text/html"]], "<script>1</script>")]),
    "accepted",
  );
});

test("An old release, another site's, an expired one and one signed for other routes are refused, each with its code", async () => {
  const last = { sequence: 8, digest: "d".repeat(64) };
  assert.equal(await verdict(pages, {}, { last }), "RELEASE_REPLAYED");
  assert.equal(await verdict(pages, { statement: { sequence: 8 } }, { last }), "RELEASE_REPLAYED");
  assert.equal(await verdict(pages, { statement: { sequence: 9 } }, { last }), "accepted");
  const { digest } = await read(pages);
  assert.equal(await verdict(pages, {}, { last: { sequence: 7, digest } }), "accepted", "a restart");
  assert.equal(await verdict(pages, { statement: { expires: "2030-01-09T00:00:00Z" } }), "RELEASE_EXPIRED");
  assert.equal(await verdict(pages, {}, { site: "https://other.example" }), "RELEASE_SITE_OTHER");
  assert.equal(await verdict(pages, { program: { site: "https://other.example" } }), "RELEASE_SITE_OTHER");
  assert.equal(await verdict(pages, {}, { contract: "e".repeat(64) }), "RELEASE_CONTRACT_OTHER");
});

test("A wrong key, a key used for the other kind, another release's signature and nonsense are refused", async () => {
  assert.equal(await verdict(pages, { programSigner: otherKey }), "RELEASE_SIGNATURE_INVALID");
  assert.equal(await verdict(pages, { releaseSigner: otherKey }), "RELEASE_SIGNATURE_INVALID");
  assert.equal(
    await verdict(pages, { programSigner: releaseKey, releaseSigner: programKey }),
    "RELEASE_SIGNATURE_INVALID",
  );
  assert.equal(await verdict(pages, { statement: { digest: "0".repeat(64) } }), "RELEASE_SIGNATURE_INVALID");
  assert.equal(await verdict(pages, { statement: { program: "0".repeat(64) } }), "RELEASE_SIGNATURE_INVALID");
  assert.equal(await verdict(pages, { statement: { sequence: 0 } }), "RELEASE_SIGNATURE_INVALID");
  const release = await read(pages);
  for (const text of ["", "{}", "[]", '{"release":null,"program":null}', '{"release":{}}', "nonsense"])
    await assert.rejects(
      acceptRelease(release, text, acceptance),
      { code: "RELEASE_SIGNATURE_MISSING" },
      text,
    );
  await assert.rejects(acceptRelease(release, '{"release":{},"program":{}}', acceptance), {
    code: "RELEASE_SIGNATURE_INVALID",
  });
});

test("One key for both kinds does not make a signature of the one valid as the other", async () => {
  const release = await read(pages);
  const honest = JSON.parse(await sign(release, { releaseSigner: programKey })) as Record<
    "release" | "program",
    { payloadType: string }
  >;
  const keys = { program: programKey.publicKey, release: programKey.publicKey };
  const statement = await acceptRelease(release, JSON.stringify(honest), { ...acceptance, keys });
  assert.equal(statement.sequence, 7);
  for (const crossed of [
    { release: honest.program, program: honest.program },
    { release: { ...honest.program, payloadType: honest.release.payloadType }, program: honest.program },
  ])
    await assert.rejects(acceptRelease(release, JSON.stringify(crossed), { ...acceptance, keys }), {
      code: "RELEASE_SIGNATURE_INVALID",
    });
});

test("Any one character of the signatures changed is refused, those aside that only hint at a key", async () => {
  const release = await read(pages);
  const signed = await sign(release);
  const hints = [...signed.matchAll(/"keyid":"[^"]*"/g)].map(
    ({ 0: text, index }) => [index, index + text.length] as const,
  );
  for (let at = 0; at < signed.length; at += 3) {
    if (hints.some(([from, to]) => at >= from && at < to)) continue;
    const letter = signed[at] === "x" ? "y" : "x";
    const changed = signed.slice(0, at) + letter + signed.slice(at + 1);
    await assert.rejects(
      acceptRelease(release, changed, acceptance),
      { name: "CurtainwallError" },
      `at ${at}`,
    );
  }
});

test("A contract's digest moves with what its routes permit, and not with where things are", async () => {
  const digest = (changes: {
    origin?: string;
    limit?: "5/min per client" | "9/min per client";
    upstream?: string;
    name?: z.ZodType;
  }): Promise<string> =>
    contractDigest(
      parseContract(
        defineStack({
          origin: changes.origin ?? site,
          upstreams: { shop: upstream({ url: changes.upstream ?? "https://shop.internal" }) },
          routes: {
            "GET /api/x": {
              access: everyone,
              limit: changes.limit ?? "5/min per client",
              response: z.object({ name: changes.name ?? z.string() }),
              to: "shop",
            },
          },
        }),
      ),
    );
  const signed = await digest({});
  assert.equal(await digest({ origin: "https://b.example", upstream: "https://elsewhere.internal" }), signed);
  assert.notEqual(await digest({ limit: "9/min per client" }), signed);
  assert.notEqual(await digest({ name: z.number() }), signed);
});
