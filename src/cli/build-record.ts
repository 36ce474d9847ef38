import { createHmac, hash } from "node:crypto";
import {
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import type { BuildResult } from "./build-result.ts";

// This module decides whether there is anything to build at all, so it loads nothing of the rest: see decision 049.

/** A place on disk as it was: its address alone when nothing was there. The digest is there while times alone can't be trusted. */
export type Place = readonly [path: string] | readonly [...Looks] | readonly [...Looks, digest: string];

type Looks = [path: string, size: number, changedMs: number, movedMs: number, inode: number, mode: number];

/** What decides what a build makes. */
export interface BuildInputs {
  /** The machine, Node and the folder that the command ran in. */
  readonly process: string;
  /** Keyed digest of the environment: any variable may hold a secret that must not be published. */
  readonly variables: string;
  /** Where links count as what they are. */
  readonly places: readonly Place[];
  /** Where links count as what they lead to. */
  readonly targets: readonly Place[];
  /** When it must be looked at again, whatever is there: milliseconds since 1970. */
  readonly until: number;
}

/** Where a build's record lies, and what keeps it from being written by others. */
export interface RecordFiles {
  /** What the command was given: a folder, or a contract. */
  readonly place: string;
  /** The contract's folder. */
  readonly root: string;
  readonly cache: string;
  /** Whoever can read it can sign releases, so that no more can be learned from a record than from it. */
  readonly keyFile: string;
}

/**
 * Names a record's files.
 *
 * @param place the contract's folder, or its file
 */
export function recordFiles(place: string): RecordFiles {
  const path = resolve(place);
  const root = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path;
  // As `stackFolders` has it, which would load what this is there to avoid.
  const state = join(root, ".curtainwall");
  return { place: path, root, cache: join(state, "cache"), keyFile: join(state, "release", "release.key") };
}

/** What a build that changed nothing needs to know of the one before; undefined when something may have changed. */
export function recallBuild(files: RecordFiles, now: number): BuildResult | undefined {
  try {
    const key = readFileSync(files.keyFile);
    const text = readFileSync(recordFile(files), "utf8");
    const [mac = "", inputs = "", result = ""] = text.split("\n");
    if (mac !== macOf(key, `${inputs}\n${result}`)) return undefined;
    const known = JSON.parse(inputs) as BuildInputs;
    if (now >= known.until || !isUnchanged(known, key, files)) return undefined;
    if (known.places.some(isDoubtful)) refresh(files, key, known, result);
    return unpack(JSON.parse(result) as PackedResult);
  } catch {
    // Whatever it is: building anew is always right.
    return undefined;
  }
}

/** Keeps what a build looked at and made. */
export function keepBuild(files: RecordFiles, inputs: BuildInputs, result: BuildResult): void {
  const places = inputs.places.map((place) => shorten(place, files.root));
  write(files, readFileSync(files.keyFile), { ...inputs, places }, JSON.stringify(pack(result)));
}

/** Most pages have the same policy, and reading this takes time that somebody waits. */
interface PackedResult extends Omit<BuildResult, "pages"> {
  readonly policies: readonly string[];
  readonly pages: readonly (readonly [path: string, policy: number])[];
}

function pack({ pages, ...result }: BuildResult): PackedResult {
  const policies = new Map<string, number>();
  for (const { policy } of pages) if (!policies.has(policy)) policies.set(policy, policies.size);
  return {
    ...result,
    policies: [...policies.keys()],
    pages: pages.map(({ path, policy }) => [path, policies.get(policy) ?? 0]),
  };
}

function unpack({ policies, pages, ...result }: PackedResult): BuildResult {
  return { ...result, pages: pages.map(([path, policy]) => ({ path, policy: policies[policy] ?? "" })) };
}

/** Paths of the project begin with this in a record, and no others do: those are absolute. */
const here = ".";

function shorten(place: Place, root: string): Place {
  const [path, ...looks] = place;
  return path.startsWith(root + sep) ? ([here + path.slice(root.length), ...looks] as Place) : place;
}

const recordFile = ({ cache }: RecordFiles): string => join(cache, "build.record");

const macOf = (key: Uint8Array, text: string): string =>
  createHmac("sha256", key).update("build record\n").update(text).digest("hex");

function write(files: RecordFiles, key: Uint8Array, inputs: BuildInputs, result: string): void {
  const body = `${JSON.stringify(inputs)}\n${result}`;
  const fresh = `${recordFile(files)}.${process.pid}.part`;
  writeFileSync(fresh, `${macOf(key, body)}\n${body}`, { mode: 0o600 });
  renameSync(fresh, recordFile(files));
}

function isUnchanged(
  { process: machine, variables, places, targets }: BuildInputs,
  key: Uint8Array,
  { place, root }: RecordFiles,
): boolean {
  return (
    machine === describeProcess(place) &&
    variables === digestEnvironment(key) &&
    places.every((was) => isSame(was, root, lstatSync)) &&
    targets.every((was) => isSame(was, root, statSync))
  );
}

/** What shells change between two commands, and nothing else reads. */
const shells = new Set(["_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES"]);

/** A digest of all variables that tells nothing to whoever lacks the key. */
export function digestEnvironment(key: Uint8Array): string {
  const variables = Object.entries(process.env).filter(([name]) => !shells.has(name));
  return createHmac("sha256", key)
    .update("environment\n")
    .update(JSON.stringify(variables.sort(([left], [right]) => (left < right ? -1 : 1))))
    .digest("hex");
}

/** What of this process decides what is built, but for its variables. */
export function describeProcess(place: string): string {
  const { version, arch, platform, execPath, execArgv } = process;
  const user = process.getuid?.();
  const folders = [place, process.cwd(), homedir(), tmpdir()];
  return JSON.stringify([version, arch, platform, execPath, execArgv, user, ...folders]);
}

type Look = (path: string, options: { throwIfNoEntry: false }) => Stats | undefined;

function isSame(place: Place, root: string, look: Look): boolean {
  const path = place[0].startsWith(here) ? root + place[0].slice(here.length) : place[0];
  const stats = look(path, { throwIfNoEntry: false });
  if (stats === undefined || place.length === 1) return stats === undefined && place.length === 1;
  return (
    stats.size === place[1] &&
    stats.mtimeMs === place[2] &&
    stats.ctimeMs === place[3] &&
    stats.ino === place[4] &&
    stats.mode === place[5] &&
    (place.length === 6 || place[6] === digestPlace(path, stats))
  );
}

/**
 * A file that changes twice within a tick of the clock has the same time afterwards. A margin for file systems that count whole
 * seconds, or two.
 */
const tickMs = 2_000;

/** Options of {@link lookAt}. */
export interface LookOptions {
  /** The file system's time before the look, by {@link diskTime}. */
  readonly began: number;
  /** Whether a link counts as what it leads to. */
  readonly follow?: boolean;
}

/** Notes what is at a path. */
export function lookAt(path: string, { began, follow = false }: LookOptions): Place {
  const stats = (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  if (stats === undefined) return [path];
  const plain = [path, stats.size, stats.mtimeMs, stats.ctimeMs, stats.ino, stats.mode] as const;
  return isSettled(stats, began) ? plain : [...plain, digestPlace(path, stats)];
}

const isSettled = ({ mtimeMs, ctimeMs }: Pick<Stats, "mtimeMs" | "ctimeMs">, began: number): boolean =>
  Math.max(mtimeMs, ctimeMs) < began - tickMs;

/** The time by the clock of the disk that a folder lies on, which may be another machine's. */
export function diskTime(folder: string): number {
  const file = join(folder, `.time-${process.pid}`);
  writeFileSync(file, "");
  const { mtimeMs } = statSync(file);
  rmSync(file);
  return mtimeMs;
}

function digestPlace(path: string, stats: Stats): string {
  if (stats.isDirectory()) return hash("sha256", JSON.stringify(readdirSync(path).sort()));
  if (stats.isSymbolicLink()) return hash("sha256", readlinkSync(path));
  if (!stats.isFile()) throw new TypeError("neither a file nor a folder");
  return hash("sha256", readFileSync(path));
}

const isDoubtful = ({ length }: Place): boolean => length === 7;

/** What was compared byte by byte because it was young is older by now: from here on its times will do. */
function refresh(files: RecordFiles, key: Uint8Array, inputs: BuildInputs, result: string): void {
  const began = diskTime(files.cache);
  const places = inputs.places.map((place): Place => {
    if (place.length !== 7) return place;
    const [path, size, mtimeMs, ctimeMs, inode, mode] = place;
    return isSettled({ mtimeMs, ctimeMs }, began) ? [path, size, mtimeMs, ctimeMs, inode, mode] : place;
  });
  if (places.some((place, index) => place !== inputs.places[index]))
    write(files, key, { ...inputs, places }, result);
}
