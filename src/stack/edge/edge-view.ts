import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SandboxView } from "../isolation/isolation.ts";
import { packageFolders } from "../jail/work-copy.ts";
import type { LoadedContract } from "../contract/load-contract.ts";

/**
 * What the edge's sandbox shows of a site: the modules that the contract consists of, what says how Node reads them, and packages. Not
 * the folder that they lie in: content, templates, the state and whatever else an author keeps there are none of its business.
 */
export function edgeView({
  file,
  root,
  modules,
}: Pick<LoadedContract, "file" | "root" | "modules">): SandboxView {
  const files = [file, ...modules];
  const scopes = files.map((path) => scopeOf(dirname(path))).filter((scope) => scope !== undefined);
  return {
    readOnly: [...new Set([...files, ...scopes]), ...packageFolders(root)],
    writable: [],
    hidden: [],
    masked: [],
    network: true,
  };
}

/** The nearest `package.json`, which says whether `.js` is a module. */
function scopeOf(folder: string): string | undefined {
  const candidate = join(folder, "package.json");
  if (existsSync(candidate)) return candidate;
  return folder === dirname(folder) ? undefined : scopeOf(dirname(folder));
}
