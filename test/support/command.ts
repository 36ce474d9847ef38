import { fileURLToPath } from "node:url";
import { keptCode } from "./code-cache.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const isBuilt = process.env["CURTAINWALL_TEST_BUILT"] === "1";

/** What Node is given so that a child imports what the tests import: the sources, or what was built of them. */
export const asTested: readonly string[] = isBuilt
  ? ["--import", at("test/support/from-dist.ts")]
  : ["--conditions=curtainwall-source"];

/**
 * What Node is given to start `curtainwall`, before the command's own arguments: the sources where one file of tests runs. `npm test` sees to
 * it that `dist` is made of them, and says so: what is built starts in a quarter of the time, and that hundreds of times in a run.
 */
export const command: readonly string[] = [
  ...(isBuilt ? [at("dist/cli/main.js")] : [...asTested, at("src/cli/main.ts")]),
];

/** The same for a shell, Node included. */
export const commandInShell: string = [process.execPath, ...command].map(quoted).join(" ");

/** The least that a command needs of the environment, for tests in which it must have nothing else. */
export const bareEnvironment: NodeJS.ProcessEnv = { PATH: process.env["PATH"], ...keptCode };

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
