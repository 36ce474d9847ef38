import assert from "node:assert/strict";
import { test } from "node:test";
import { programOf } from "../../contract/index.ts";
import type { ReleaseFile, ReleaseManifest } from "../../contract/index.ts";
import { describePermissions } from "./describe-permissions.ts";

const file = (path: string, type: string, policy: string): ReleaseFile => ({
  path,
  headers: [
    ["content-type", type],
    ["content-security-policy", policy],
  ],
  variants: [],
});

test("what only a picture's own policy permits is said apart, with whose it is", () => {
  const manifest: ReleaseManifest = {
    format: 2,
    encoders: {},
    redirects: [],
    files: [
      file("/", "text/html; charset=utf-8", "default-src 'none'; script-src 'sha256-AAAA'; style-src 'self'"),
      file("/boat.svg", "image/svg+xml", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ],
  };
  const program = programOf(manifest, { site: "https://www.example.com", contract: "", sources: {} });
  const lines = describePermissions(program, manifest);
  const line = (part: string): string =>
    lines.find((entry) => entry.includes(part)) ?? assert.fail(lines.join("\n"));
  assert.match(line("'sha256-AAAA'"), /^script-src[^:]*: 'sha256-AAAA'$/);
  assert.match(line("style-src-elem: 'self'"), /^style-src/);
  assert.match(
    line("'unsafe-inline'"),
    /style-src[^:]*: 'unsafe-inline' {2}\(of no page, but of \/boat\.svg, opened by itself\)$/,
  );
});
