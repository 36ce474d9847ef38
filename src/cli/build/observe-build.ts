import { lstatSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { hash } from "node:crypto";
import { openReleaseStore } from "../../release/node.ts";
import { contractSources } from "../../site/index.ts";
import { stackFolders } from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import {
  describeProcess,
  digestEnvironment,
  diskTime,
  keepBuild,
  lookAt,
  recordFiles,
} from "./build-record.ts";
import type { LookOptions, PageAgain, Place } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import { lookAround, lookAtOutput, skipped } from "./look-around.ts";

/** Watches one build, so that the next can tell that nothing changed. */
export interface BuildObserver {
  /** Keeps what the build looked at and made, if all of that is known. */
  keep(loaded: LoadedContract, result: BuildResult, again?: PageAgain): void;
  /** Says that the build itself wrote a file among its sources. */
  wrote(file: string): void;
}

/** Begins to watch a build, before it reads anything. */
export function observeBuild(place: string): BuildObserver {
  const files = recordFiles(place);
  const look = (): { began: number; sources: Place[] } => {
    mkdirSync(files.cache, { recursive: true, mode: 0o700 });
    const began = diskTime(files.cache);
    return { began, sources: [...lookAround(files.root, { began }), ...lookAtOurselves({ began })] };
  };
  let before = attempt(look);
  return {
    wrote: (file) => {
      const now = attempt(look);
      const written = new Set([resolve(file), dirname(resolve(file))]);
      const isAsBefore =
        before !== undefined && now !== undefined && isSameBut(written, before.sources, now.sources);
      before = isAsBefore ? now : undefined;
    },
    keep: (loaded, result, again) =>
      attempt(() => {
        const until = validUntil(loaded);
        const seen = before;
        if (seen === undefined || until === undefined || !isClosed(loaded)) return;
        const inputs = {
          process: describeProcess(files.place),
          variables: digestEnvironment(readFileSync(files.keyFile)),
          places: [...seen.sources, ...lookAtOutput(files.root, seen)],
          targets: [...packageFiles(), "/etc/localtime"].map((path) =>
            lookAt(path, { ...seen, follow: true }),
          ),
          until,
          ...(again === undefined ? {} : { again }),
        };
        keepBuild(files, inputs, { ...result, isNew: false });
      }),
  };
}

/** Whether nothing but these changed from one look to the other. */
function isSameBut(paths: ReadonlySet<string>, before: readonly Place[], now: readonly Place[]): boolean {
  const rest = (places: readonly Place[]): string[] =>
    places
      .filter(([path]) => !paths.has(path))
      .map((place) => JSON.stringify(place.slice(0, 6)))
      .sort();
  const [left, right] = [rest(before), rest(now)];
  return left.length === right.length && left.every((text, index) => text === right[index]);
}

/** What can't be noted is not: then the next build looks at everything. */
function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const room = dirname(dirname(import.meta.dirname));
const ending = import.meta.filename.endsWith(".ts") ? /(?<!\.test|\.d)\.tsx?$/ : /\.js$/;

/** This program where somebody works on it: its files, not its tests and types. Of one that was installed the version is enough. */
const lookAtOurselves = (options: LookOptions): Place[] =>
  room.split(sep).includes("node_modules")
    ? []
    : lookAround(room, options, (name) => ending.test(name)).filter(([path]) => ending.test(path));

/** Where the versions of this package and of those that it may load stand, and where they would stand before that. */
function packageFiles(): string[] {
  const own = fileURLToPath(new URL("../../../package.json", import.meta.url));
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(own, "utf8")) as Partial<
    Record<string, Record<string, string>>
  >;
  const folders = ancestors(dirname(own));
  const files = [own];
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    for (const folder of folders) {
      const file = join(folder, "node_modules", name, "package.json");
      files.push(file);
      if (lookAt(file, { began: 0, follow: true }).length > 1) break;
    }
  }
  return files;
}

function ancestors(folder: string): string[] {
  const all = [folder];
  for (let at = folder; dirname(at) !== at; at = dirname(at)) all.push(dirname(at));
  return all;
}

/** Until when the same sources make the same release; undefined when nothing is published here. */
function validUntil({ contract, root }: LoadedContract): number | undefined {
  const current = openReleaseStore(stackFolders(root).releases).current();
  if (current === undefined) return undefined;
  const exceptions = contract.leaks.allow.map(({ expires }) => Date.parse(expires));
  // Publishing renews a release some time before it expires; so long before, at the latest, it must be asked.
  return Math.min(Date.parse(current.expires) - 31 * 86_400_000, ...exceptions);
}

/** What this knows how to watch. An option that comes later is not in it, and then nothing is kept. */
const watched = new Set([
  "content",
  "templates",
  "assets",
  "collections",
  "redirects",
  "feeds",
  "lists",
  "tags",
  "locales",
  "images",
  "sources",
]);

/** Whether all that the build could see was looked at. */
function isClosed({ contract, root, file }: LoadedContract): boolean {
  const { site, functions } = contract;
  if (site === undefined || "dist" in site) return false;
  // What is in a bundle comes from packages, too.
  if (functions.size > 0) return false;
  if (Object.keys(site).some((name) => !watched.has(name))) return false;
  // What an API answers is asked in each build.
  if (site.sources.size > 0) return false;
  const folders = [site.content, site.templates, ...(site.assets === undefined ? [] : [site.assets])];
  const sources = contractSources(file);
  const inside = [...folders, ...(sources ?? [])].map((path) => resolve(root, path));
  return (
    sources !== undefined &&
    inside.every((path) => isOpenPlace(path, root)) &&
    readsOnlyItself(join(root, ".curtainwall", "cache"))
  );
}

/** Whether a path lies in the project, no part of it is a link, and it is not left out of the watch. */
function isOpenPlace(path: string, root: string): boolean {
  const inner = relative(root, path);
  if (isAbsolute(inner) || inner.split(sep).some((name) => name === ".." || skipped.has(name))) return false;
  for (let at = path; at !== root; at = dirname(at)) if (lstatSync(at).isSymbolicLink()) return false;
  return true;
}

/**
 * Whether the templates were found to depend on their sources alone. The word comes from the builder's cache, which a template could have
 * forged; all that it would win is that its site grows stale.
 */
function readsOnlyItself(cache: string): boolean {
  const file = [join(cache, "site", "templates.json"), join(cache, "templates.json")].find(
    (path) => lookAt(path, { began: 0 }).length > 1,
  );
  if (file === undefined) return false;
  const text = readFileSync(file, "utf8");
  const json = text.slice(64);
  return (
    hash("sha256", json) === text.slice(0, 64) && (JSON.parse(json) as { isPure: unknown }).isPure === true
  );
}
