import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Contract } from "../../contract/index.ts";
import type { LoadedContract } from "../contract/load-contract.ts";

/** Where a contract's list of API keys is; undefined: it declares none. */
export function apiKeysFileOf({ apiKeys }: Pick<Contract, "apiKeys">, root: string): string | undefined {
  if (apiKeys === undefined) return undefined;
  return isAbsolute(apiKeys.file) ? apiKeys.file : join(root, apiKeys.file);
}

/** Reads the list of API keys. Undefined: there is none, so that no key counts. Whether it can be used, the edge says. */
export function readApiKeys(contract: Pick<Contract, "apiKeys">, root: string): string | undefined {
  const file = apiKeysFileOf(contract, root);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // Another reason than that nothing is there must not pass for an empty list's: it is none, and the edge tells so.
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : "";
  }
}

/** How often the file is looked at: it is replaced by a rename, which not every watcher sees, and is small. */
const lookEveryMs = 1000;

/** Calls back with the list whenever it is another than at first, or than was told last. Returns what stops it. */
export function watchApiKeys(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  onChange: (list: string | undefined) => void,
): () => void {
  if (contract.apiKeys === undefined) return () => undefined;
  let known = readApiKeys(contract, root);
  const timer = setInterval(() => {
    const list = readApiKeys(contract, root);
    if (list === known) return;
    known = list;
    onChange(list);
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
