// Compiles src/ to dist/, and bundles what starts often. Runs as `prepare`, so that `npm ci` leaves a working `curtainwall` command.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { recordBuild, sourcesNow } from "./built-from.ts";
import { bundle } from "./bundle.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
// Made elsewhere and put in place whole: what runs from `dist` meanwhile finds the old one or the new one.
const state = join(root, ".curtainwall");
const made = join(state, `dist-${process.pid}`);
const former = join(state, `former-${process.pid}`);
mkdirSync(state, { recursive: true });
const sources = sourcesNow(root);
try {
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/typescript/bin/tsc"),
      "-p",
      join(root, "tsconfig.build.json"),
      "--outDir",
      made,
    ],
    { stdio: "inherit" },
  );
  if (status === 0) {
    chmodSync(join(made, "cli/main.js"), 0o755);
    await bundle(root, made);
    if (existsSync(dist)) renameSync(dist, former);
    renameSync(made, dist);
    recordBuild(root, sources);
  } else process.exitCode = status ?? 1;
} finally {
  for (const folder of [made, former]) rmSync(folder, { recursive: true, force: true });
}
