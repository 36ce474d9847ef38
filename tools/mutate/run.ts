// `npm run mutate`: see test/mutants/README.md and docs/decisions/124-planted-faults.md.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { exitCodes, say } from "./conclude.ts";
import { readMutant, readMutants } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";
import { chosenIds, readOptions, usage } from "./options.ts";
import type { Options } from "./options.ts";
import { tryAll } from "./try-all.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  say((error as Error).message);
  process.exitCode = exitCodes.usage;
}

async function main(options: Options): Promise<number> {
  const { help, list } = options.flags;
  const mutants = help ? [] : choose(options);
  if (!help && !list) return tryAll(root, mutants, options);
  console.log(help ? usage : mutants.map(({ id, fault }) => `${id}: ${fault}`).join("\n"));
  return exitCodes.done;
}

function choose({ files, only }: Options): Mutant[] {
  if (files.length > 0) return files.map((file) => readMutant(resolve(file), root));
  const all = readMutants(root);
  const chosen = chosenIds(
    all.map(({ id }) => id),
    only,
  );
  return all.filter(({ id }) => chosen.has(id));
}
