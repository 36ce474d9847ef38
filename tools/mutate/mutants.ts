import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/** One planted fault: see test/mutants/README.md. */
export interface Mutant {
  /** `API-1/skip-audience`; of a file that lies elsewhere, its path. */
  readonly id: string;
  /** The item of the checklist whose enforcement is broken. */
  readonly item: string;
  readonly fault: string;
  /** Rows of the audit that are asked first. */
  readonly rows: readonly string[];
  /** The error code with which the tool itself must refuse it, where that is the enforcement. */
  readonly refused?: string;
  /** Why no check finds it. */
  readonly survives?: string;
  readonly file: string;
  /** Paths that it changes, from the repository's folder. */
  readonly paths: readonly string[];
  /** Of the file's text: a record of another text says nothing of this one. */
  readonly digest: string;
}

const names = ["Item", "Fault", "Rows", "Refused", "Survives"] as const;
type HeaderName = (typeof names)[number];

/** Where the mutants are, from the repository's folder. */
const mutantsFolder = "test/mutants";

/** Reads all mutants of a repository, in the order of their ids. */
export function readMutants(root: string): Mutant[] {
  const folder = join(root, mutantsFolder);
  return globSync("*/*.patch", { cwd: folder })
    .map((path) => readMutant(join(folder, path), root))
    .toSorted((one, other) => one.id.localeCompare(other.id, "en", { numeric: true }));
}

/**
 * Reads one.
 *
 * @throws {Error} that names the file and what its headers lack
 */
export function readMutant(file: string, root: string): Mutant {
  const text = readFileSync(file, "utf8");
  try {
    const headers = readHeaders(text);
    const item = headers.get("Item") ?? missing("Item");
    const path = relative(join(root, mutantsFolder), file);
    const refused = headers.get("Refused");
    const survives = headers.get("Survives");
    return {
      id: path.startsWith("..") ? path : `${dirname(path)}/${basename(path, ".patch")}`,
      item,
      fault: headers.get("Fault") ?? missing("Fault"),
      rows: headers.get("Rows")?.split(/,\s*/) ?? [item],
      ...(refused === undefined ? {} : { refused }),
      ...(survives === undefined ? {} : { survives }),
      file,
      paths: changedPaths(text),
      // An explanation is given once the outcome is known, and changes nothing of it.
      digest: createHash("sha256")
        .update(text.replace(/^Survives:.*\n/m, ""))
        .digest("hex")
        .slice(0, 16),
    };
  } catch (cause) {
    throw new Error(`${relative(root, file)}: ${(cause as Error).message}`, { cause });
  }
}

function readHeaders(text: string): Map<HeaderName, string> {
  const found = new Map<HeaderName, string>();
  for (const line of (text.split("\n\n")[0] ?? "").split("\n")) {
    const [, name, value] = /^([A-Z][a-z]+): (.+)$/.exec(line) ?? [];
    const known = names.find((candidate) => candidate === name);
    if (known === undefined || value === undefined)
      throw new Error(`${JSON.stringify(line)} is none of the headers ${names.join(", ")}`);
    if (found.has(known)) throw new Error(`${known} stands there twice`);
    found.set(known, value);
  }
  return found;
}

function missing(name: HeaderName): never {
  throw new Error(`it has no header "${name}: …"`);
}

/** What a diff adds, changes or takes away. */
function changedPaths(text: string): string[] {
  const paths = [...text.matchAll(/^(?:--- a|\+\+\+ b)\/(.+)$/gm)].map(([, path = ""]) => path);
  if (paths.length === 0) throw new Error("it has no diff with a/ and b/");
  return [...new Set(paths)];
}
