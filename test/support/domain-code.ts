import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { stackFolders } from "../../src/stack/index.ts";

/**
 * Where the tests of one run keep what their stacks' domains compiled, if code is kept at all. A site's own folder for that is a throw-away
 * one's here, so that each start would compile the edge and the ledger anew, for more time than the test itself takes.
 */
const shared = (): string | undefined => {
  const { NODE_COMPILE_CACHE: code } = process.env;
  return code === undefined ? undefined : join(code, "domains");
};
const codeOf = (root: string): string => join(stackFolders(root).state, "code");

/** Gives a new site what the domains of others compiled. Node checks each file against what it would compile. */
export function lendCode(root: string): void {
  const from = shared();
  if (from !== undefined && existsSync(from)) shareMissing(from, codeOf(root));
}

/** Keeps what a site's domains compiled, for the next site. */
export function keepCode(root: string): void {
  const to = shared();
  if (to !== undefined && existsSync(codeOf(root))) shareMissing(codeOf(root), to);
}

/**
 * A thousand files, of which Node never writes to one, but puts another in its place: names for the same files do, in a fifth of the time
 * that copies take.
 */
function shareMissing(from: string, to: string): void {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length + 1));
    if (!entry.isFile() || existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    share(source, target);
  }
}

/** Other tests may read and write there at the same time: a file appears whole, and either's may be the one that stays. */
function share(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A draft of Node's, which has its own name by now; or another test was first.
    if (code === "ENOENT" || code === "EEXIST") return;
    // Two file systems, say.
    const draft = `${target}.${process.pid}`;
    copyFileSync(source, draft);
    renameSync(draft, target);
  }
}
