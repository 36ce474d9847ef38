import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeRelease, securityHeaders } from "../../src/contract/index.ts";
import type { ReleaseInput } from "../../src/contract/index.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A throw-away site: a contract, a release and other files. */
export interface TestProject {
  root: string;
  remove(): void;
}

/** Files by path relative to the project; the release is made of `pages`. */
export interface TestProjectOptions {
  config: string;
  pages?: Record<string, string>;
  files?: Record<string, string | Uint8Array>;
}

/** Makes a site inside the repository, where `import … from "curtainwall"` resolves to the source. */
export async function makeProject({
  config,
  pages = { "/": "<!doctype html><title>Home</title>" },
  files = {},
}: TestProjectOptions): Promise<TestProject> {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "project-"));
  const all = {
    "curtainwall.config.ts": config,
    ".curtainwall/edge/release.bin": await encodeRelease(releaseOf(pages)),
    ...files,
  };
  for (const [name, data] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), data);
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

function releaseOf(pages: Record<string, string>): ReleaseInput[] {
  return Object.entries(pages).map(([path, html]) => ({
    path,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ["cache-control", "no-cache"],
      ...securityHeaders("default-src 'none'; frame-ancestors 'none'"),
    ],
    bytes: { identity: new TextEncoder().encode(html) },
  }));
}
