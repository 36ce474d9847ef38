// `npm run fuzz [rounds]`: the property tests with new random cases, where `npm test` repeats the same ones. A failure prints the
// seed and the path that repeat it: give both to `fc.assert` while you mend it, and leave the case behind as a test of its own.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const rounds = Number(process.argv[2] ?? 5);
const files = globSync("{src,test}/**/*.test.ts", { cwd: root }).filter((file) =>
  readFileSync(`${root}${file}`, "utf8").includes('from "fast-check"'),
);

for (let round = 1; round <= rounds; round++) {
  console.error(`round ${round} of ${rounds}: ${files.length} files`);
  const run = spawnSync(
    process.execPath,
    ["--conditions=curtainwall-source", "--test", "--test-reporter=dot", ...files],
    { cwd: root, stdio: "inherit", env: { ...process.env, CURTAINWALL_FUZZ: "1" } },
  );
  if (run.status !== 0) process.exit(1);
}
