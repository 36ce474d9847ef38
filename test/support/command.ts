import { fileURLToPath } from "node:url";
import { keptCode } from "./code-cache.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const isBuilt = process.env["CURTAINWALL_TEST_BUILT"] === "1";

/** What Node is given so that `curtainwall` is resolved to what {@link command} is of. */
export const conditions: readonly string[] = isBuilt ? [] : ["--conditions=curtainwall-source"];

/**
 * What Node is given to start `curtainwall`, before the command's own arguments: the sources where one file of tests runs. `npm test` sees to
 * it that `dist` is made of them, and says so: what is built starts in a quarter of the time, and that hundreds of times in a run.
 */
export const command: readonly string[] = [
  ...conditions,
  at(isBuilt ? "dist/cli/main.js" : "src/cli/main.ts"),
];

/** The same for a shell, Node included. */
export const commandInShell: string = [process.execPath, ...command].map(quoted).join(" ");

/** The least that a command needs of the environment, for tests in which it must have nothing else. */
export const bareEnvironment: NodeJS.ProcessEnv = { PATH: process.env["PATH"], ...keptCode };

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
