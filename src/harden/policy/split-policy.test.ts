import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createPolicyBuilder, directives, serializePolicy } from "./policy.ts";
import type { Directive, PagePolicy } from "./policy.ts";
import { splitPolicy } from "./split-policy.ts";

/** What a policy lets a directive do: its own sources, else those of what it falls back to, else everything. */
function allowedBy(policy: PagePolicy, directive: Directive): readonly string[] | "everything" {
  const chain: Partial<Record<Directive, readonly Directive[]>> = {
    "script-src-attr": ["script-src", "default-src"],
    "style-src-attr": ["style-src", "default-src"],
    "worker-src": ["script-src", "default-src"],
  };
  const fallback = directive.endsWith("-src") ? (chain[directive] ?? ["default-src"]) : [];
  for (const name of [directive, ...fallback]) {
    const sources = policy.get(name);
    if (sources !== undefined) return sources;
  }
  return "everything";
}

/** What neither of two policies forbids. */
function both(
  left: readonly string[] | "everything",
  right: readonly string[] | "everything",
): readonly string[] | "everything" {
  if (left === "everything") return right;
  if (right === "everything") return left;
  return left.filter((source) => right.includes(source));
}

const source = fc.constantFrom(
  "'self'",
  "https://a.example",
  "data:",
  "'sha256-a'",
  "'sha256-b'",
  "'unsafe-hashes'",
);
const sourced = directives.filter((name) => name !== "sandbox" && name !== "upgrade-insecure-requests");
const policies = fc
  .array(fc.tuple(fc.constantFrom(...sourced), fc.array(source, { maxLength: 4 })), { maxLength: 14 })
  .map((entries) => {
    const builder = createPolicyBuilder();
    for (const [directive, sources] of entries) builder.allow(directive, ...sources);
    builder.allow("frame-ancestors");
    builder.allow("upgrade-insecure-requests");
    return builder.build();
  });

/** Directives that a `<meta>` may hold, besides those that both parts are asked about. */
const inMeta = new Set(
  directives.filter((name) => !["frame-ancestors", "sandbox", "report-to", "report-uri"].includes(name)),
);

suite("splitting a policy", () => {
  test("leaves one that fits as it is", () => {
    const policy = createPolicyBuilder().build();
    assert.deepEqual(splitPolicy(policy, { maxBytes: 1_000 }), { header: policy, meta: undefined });
  });

  test("puts exact hashes into the meta, and into the header what a meta can't say", () => {
    const builder = createPolicyBuilder();
    for (let index = 0; index < 200; index++) builder.allow("script-src", `'sha256-${index}'`);
    builder.allow("img-src", "'self'");
    builder.allow("frame-ancestors");
    const { header, meta } = splitPolicy(builder.build(), { maxBytes: 500 });
    assert.equal(
      serializePolicy(header),
      "img-src 'self'; font-src 'none'; media-src 'none'; connect-src 'none'; frame-src 'none'; manifest-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    assert.equal(meta?.get("script-src")?.length, 200);
    assert.equal(meta?.has("frame-ancestors"), false);
  });

  test("gives every page the same header where a host knows few rules", () => {
    const headers = ["'self'", "https://a.example"].map((origin) => {
      const builder = createPolicyBuilder();
      builder.allow("img-src", origin);
      builder.allow("frame-ancestors");
      return serializePolicy(splitPolicy(builder.build(), { maxBytes: 2_000, shared: true }).header);
    });
    assert.deepEqual(headers, ["frame-ancestors 'none'", "frame-ancestors 'none'"]);
  });

  test("never widens: what either part forbids is what the whole forbids, for every directive and any policy", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 0, max: 400 }), fc.boolean(), (policy, maxBytes, shared) => {
        const { header, meta } = splitPolicy(policy, { maxBytes, shared });
        for (const directive of directives) {
          // Browsers ignore it in a meta, so the header must say it.
          const fromMeta =
            meta === undefined || !inMeta.has(directive) ? "everything" : allowedBy(meta, directive);
          assert.deepEqual(
            both(allowedBy(header, directive), fromMeta),
            allowedBy(policy, directive),
            directive,
          );
        }
      }),
    );
  });
});
