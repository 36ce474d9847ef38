import { createHmac, hash } from "node:crypto";
import {
  existsSync,
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
import type { PageBuilderStart, PagePolicy } from "../../stack/index.ts";
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
  /** How one page can be made by itself; absent for a site of which none can. */
  readonly again?: PageAgain;
}

/** What making one page by itself needs of the build before. */
export interface PageAgain {
  /** Relative to the contract, with `/`. */
  readonly content: string;
  readonly start: PageBuilderStart;
  readonly policy: PagePolicy;
}

/** A build of whose inputs nothing changed but the text of one content file. */
export interface PageEdit {
  /** Relative to the contract, with `/`. */
  readonly file: string;
  readonly again: PageAgain;
  readonly inputs: BuildInputs;
  /** The places that changed, as they are now: the file, and its folder if an editor put another file in its place. */
  readonly changed: readonly Place[];
  /** The time by the disk's clock before they were looked at. */
  readonly began: number;
  /** What the build before made. */
  readonly result: BuildResult;
}

/** Where a build's record lies, and what keeps it from being written by others. */
export interface RecordFiles {
  /** What the command was given: a folder, or a contract. */
  readonly place: string;
  /** The contract's folder. */
  readonly root: string;
  readonly cache: string;
  /** Whoever can read it can sign releases, or ask for a signature, so that no more can be learned from a record than from it. */
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
  return {
    place: path,
    root,
    cache: join(state, "cache"),
    // Asked for anew: the first build of a site that has a vault makes it.
    get keyFile() {
      const own = join(state, "release", "build.key");
      return existsSync(own) ? own : join(state, "release", "release.key");
    },
  };
}

/** What a build needs to know of the one before. */
export interface Recalled {
  /** What it made, if nothing changed since. */
  readonly same?: BuildResult | undefined;
  /** What changed since, if it is no more than the text of a page. */
  readonly edit?: PageEdit | undefined;
}

/** What a build that changed nothing needs to know of the one before; undefined when something may have changed. */
export function recallBuild(files: RecordFiles, now: number): BuildResult | undefined {
  return recall(files, now).same;
}

/** Compares what is there with what the build before saw. */
export function recall(files: RecordFiles, now: number): Recalled {
  try {
    const key = readFileSync(files.keyFile);
    const text = readFileSync(recordFile(files), "utf8");
    const [mac = "", inputs = "", result = ""] = text.split("\n");
    if (mac !== macOf(key, `${inputs}\n${result}`)) return {};
    const known = JSON.parse(inputs) as BuildInputs;
    if (now >= known.until || !isSameMachine(known, key, files)) return {};
    const changed = findChanged(known, files);
    if (changed === undefined) return {};
    const made = unpack(JSON.parse(result) as PackedResult);
    if (changed.length > 0) return { edit: describeEdit(changed, known, made, files) };
    if (known.places.some(isDoubtful)) refresh(files, key, known, result);
    return { same: made };
  } catch {
    // Whatever it is: building anew is always right.
    return {};
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

const absolute = (path: string, root: string): string =>
  path.startsWith(here) ? root + path.slice(here.length) : path;

const recordFile = ({ cache }: RecordFiles): string => join(cache, "build.record");

const macOf = (key: Uint8Array, text: string): string =>
  createHmac("sha256", key).update("build record\n").update(text).digest("hex");

function write(files: RecordFiles, key: Uint8Array, inputs: BuildInputs, result: string): void {
  const body = `${JSON.stringify(inputs)}\n${result}`;
  const fresh = `${recordFile(files)}.${process.pid}.part`;
  writeFileSync(fresh, `${macOf(key, body)}\n${body}`, { mode: 0o600 });
  renameSync(fresh, recordFile(files));
}

function isSameMachine(
  { process: machine, variables, targets }: BuildInputs,
  key: Uint8Array,
  { place, root }: RecordFiles,
): boolean {
  return (
    machine === describeProcess(place) &&
    variables === digestEnvironment(key) &&
    targets.every((was) => isSame(was, root, statSync))
  );
}

/** A file, and the folders around it: with more there is more to do than a page. */
const maxChanged = 4;

/** Which places are not as they were. Undefined: too many, or some that may mean anything. */
function findChanged({ places, again }: BuildInputs, { root }: RecordFiles): Place[] | undefined {
  const changed: Place[] = [];
  for (const was of places) {
    if (isSame(was, root, lstatSync)) continue;
    if (again === undefined || !isWithin(was[0], `${here}/${again.content}`) || changed.length === maxChanged)
      return undefined;
    changed.push(was);
  }
  return changed;
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** What changed, if it is the text of one content file; a folder's time may have changed with it, but no name in it. */
function describeEdit(
  changed: readonly Place[],
  inputs: BuildInputs,
  result: BuildResult,
  files: RecordFiles,
): PageEdit | undefined {
  const { again, places } = inputs;
  const { root, cache } = files;
  const began = diskTime(cache);
  const looks = changed.map(([path]) => lookAt(absolute(path, root), { began }));
  const edited: string[] = [];
  for (const [index, was] of changed.entries()) {
    const stats = lstatSync(absolute(was[0], root));
    if (was[5] !== stats.mode) return undefined;
    if (stats.isFile()) edited.push(was[0]);
    else if (!stats.isDirectory() || !hasSameNames(looks[index]?.[0] ?? "", was[0], places)) return undefined;
  }
  const [file] = edited;
  if (again === undefined || file === undefined || edited.length > 1) return undefined;
  const inner = file
    .slice(here.length + 1)
    .split(sep)
    .join("/");
  return { file: inner, again, inputs, changed: looks, began, result };
}

function hasSameNames(folder: string, path: string, places: readonly Place[]): boolean {
  const inside = places
    .map(([place]) => place)
    .filter((place) => place.startsWith(path + sep) && !place.includes(sep, path.length + 1));
  const names = new Set(inside.map((place) => place.slice(path.length + 1)));
  const found = readdirSync(folder);
  return found.length === names.size && found.every((name) => names.has(name));
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
  const path = absolute(place[0], root);
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
