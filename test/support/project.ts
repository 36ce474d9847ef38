import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { defineStack, encodeRelease, parseContract, securityHeaders } from "../../src/contract/index.ts";
import type { Contract, ReleaseInput } from "../../src/contract/index.ts";
import { openReleaseStore } from "../../src/release/node.ts";
import { publishRelease, stackFolders } from "../../src/stack/index.ts";
import { actionsFolder, openRunFolder } from "../../src/stack/processes/run-folder.ts";
import { keepCode, lendCode } from "./domain-code.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A throw-away site: a contract, a release and other files. */
export interface TestProject {
  root: string;
  remove(): void;
}

/** Files by path relative to the project; the release is made of `pages`. */
export interface TestProjectOptions {
  config: string;
  pages?: Record<string, string>;
  files?: Record<string, string | Uint8Array>;
}

/** Makes a site inside the repository, where `import … from "curtainwall"` resolves to the source. */
export async function makeProject({
  config,
  pages = { "/": "<!doctype html><title>Home</title>" },
  files = {},
}: TestProjectOptions): Promise<TestProject> {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "project-"));
  const all = {
    "curtainwall.config.ts": config,
    ...files,
  };
  for (const [name, data] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), data);
  }
  await publish(root, pages);
  lendCode(root);
  return {
    root,
    remove: () => {
      keepCode(root);
      removeLeftBehind(root);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Removes the folders of sockets that a supervisor left behind which was killed: the next one to open them does so. */
export function removeLeftBehind(root: string): void {
  for (const name of [root, actionsFolder(root)]) openRunFolder(name).remove();
}

/** The file of the site's newest release. */
export function packFileOf(root: string): string {
  const current = openReleaseStore(stackFolders(root).releases).current();
  if (current === undefined) throw new Error("the project has no release");
  return current.packFile;
}

/** Publishes a release of these pages, signed with the development keys of the project. */
export async function publish(root: string, pages: Record<string, string>): Promise<void> {
  const contract = await readContract(join(root, "curtainwall.config.ts"));
  await publishRelease({ contract, root }, await encodeRelease(releaseOf(pages)));
}

let readings = 0;

/**
 * Reads the contract apart from the module that the stack will load: that one must see the environment of its own start. One that can't be
 * read gets the release of a site without an API, as if it had been broken since the build.
 */
async function readContract(file: string): Promise<Contract> {
  try {
    const module = (await import(`${pathToFileURL(file).href}?reading=${readings++}`)) as {
      default: unknown;
    };
    return parseContract(module.default);
  } catch {
    return parseContract(defineStack({ origin: "https://localhost" }));
  }
}

function releaseOf(pages: Record<string, string>): ReleaseInput[] {
  return Object.entries(pages).map(([path, html]) => ({
    path,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ["cache-control", "no-cache"],
      ...securityHeaders("default-src 'none'; frame-ancestors 'none'"),
    ],
    bytes: { identity: new TextEncoder().encode(html) },
  }));
}
