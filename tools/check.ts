// `npm run check`: everything about the code that is not a test. Quiet but for failures; all of them are told in one run.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What is checked, and by which command. The build comes first, since the package's checks read `dist/`. */
const checks: [what: string, script: string, ...args: string[]][] = [
  ["build", "tools/build.ts"],
  ["types", "node_modules/typescript/bin/tsc", "-p", "tsconfig.json"],
  ["lint", "node_modules/oxlint/bin/oxlint", "--quiet"],
  ["format", "node_modules/oxfmt/bin/oxfmt", "--check"],
  ["dead code", "node_modules/knip/bin/knip.js", "--no-progress"],
  ["package", "node_modules/publint/src/cli.js", "--strict"],
  [
    "package's types",
    "node_modules/@arethetypeswrong/cli/dist/index.js",
    "--pack",
    ".",
    "--profile",
    "esm-only",
    "--no-emoji",
    "--no-color",
  ],
  ["changes", "tools/changes.ts"],
];

let failures = 0;
for (const [what, ...command] of checks) {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status === 0) {
    console.log(`✔ ${what} (${seconds} s)`);
    continue;
  }
  failures++;
  console.log(`✖ ${what} (${seconds} s): node ${command.join(" ")}`);
  console.log(`${stdout}${stderr}${error?.message ?? ""}`.trimEnd().replaceAll(/^/gm, "    "));
}
if (failures > 0) console.log(`${failures} of ${checks.length} checks failed.`);
process.exitCode = failures > 0 ? 1 : 0;
