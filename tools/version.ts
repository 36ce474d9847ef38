// Collects .changeset/ into CHANGELOG.md and raises the version. Changesets overlooks a package at the root of a repository that
// has workspaces, so it is shown a package.json without them.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const path = `${root}package.json`;
const before = JSON.parse(readFileSync(path, "utf8")) as { version: string };

const write = (manifest: object): void => writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);

write({ ...before, workspaces: undefined });
let version = before.version;
try {
  const { status } = spawnSync(process.execPath, [`${root}node_modules/@changesets/cli/bin.js`, "version"], {
    cwd: root,
    stdio: "inherit",
  });
  ({ version } = JSON.parse(readFileSync(path, "utf8")) as { version: string });
  process.exitCode = status ?? 1;
} finally {
  write({ ...before, version });
}
