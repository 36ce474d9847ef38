import { chmodSync, lchownSync, lstatSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSite, readSources } from "../../site/index.ts";
import type { BuildProgress, SiteBuild, SourceAnswer } from "../../site/index.ts";
import { stackFolders } from "../folders.ts";
import { jailUser } from "../isolation/isolation.ts";
import type { JailView } from "../jail/jail-arguments.ts";
import { giveTo, onDisk } from "../jail/run-jailed.ts";
import { jailWorks } from "../jail/start-jail.ts";
import type { BuildLimits } from "../jail/watch-limits.ts";
import { packageFolders } from "../jail/work-copy.ts";
import { conditions, programPaths } from "../processes/launch.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { buildApiAlone } from "./api-alone.ts";
import { builtSite } from "./built-site.ts";
import { withDeclaredEnvironment } from "./declared-environment.ts";
import type { BuilderOrder } from "./messages.ts";
import { linkedPackages, viewProject } from "./project-view.ts";
import { runBuilder } from "./run-builder.ts";
import { showProject } from "./show-project.ts";
import type { ShownProject } from "./show-project.ts";
import type { PageBuilderStart } from "./start-page-builder.ts";

/** Options of {@link buildOwnSite}. */
export interface OwnBuildOptions extends BuildLimits {
  readonly drafts?: boolean;
  /** Asks no source, and takes what the last build was answered. Default false. */
  readonly offline?: boolean;
  readonly onProgress?: (progress: Omit<BuildProgress, "step"> & { readonly step: string }) => void;
  /** One line that a template wrote, safe to show. */
  readonly onLine?: (line: string) => void;
  /** Ends the build. */
  readonly signal?: AbortSignal;
}

/** A site that was built. */
export interface OwnBuild extends Omit<SiteBuild, "pages"> {
  readonly pages: readonly { readonly path: string; readonly policy: string }[];
  /** Variables that templates asked for and were not given, though they are set. */
  readonly withheld: readonly string[];
  /** Whether the templates ran in a jail. False where bubblewrap is missing or does not work: they saw what this user sees. */
  readonly isJailed: boolean;
  /** How one page of it can be made by itself, if it can. */
  readonly again?: PageBuilderStart | undefined;
}

/**
 * Builds a site of Markdown and templates in a jail: templates see the project without its keys and environment files, read-only, the
 * public variables, and no network. What comes out is the release. A contract that has routes and no site gets one without pages.
 *
 * @throws {CurtainwallError} what `buildSite` throws; `STACK_BUILD_FAILED` when the builder ends otherwise
 */
export async function buildOwnSite(loaded: LoadedContract, options: OwnBuildOptions = {}): Promise<OwnBuild> {
  const { site, routes } = loaded.contract;
  if (site === undefined && routes.length > 0) return buildApiAlone();
  const uid = process.getuid?.() === 0 ? jailUser(loaded.root).uid : undefined;
  return jailWorks(uid) ? buildJailed(loaded, options, uid) : buildUnjailed(loaded, options);
}

/** Variables that a build may see: the public ones, and what the contract itself reads, but none that is kept private. */
function visible({ contract, environment }: LoadedContract): Set<string> {
  const { public: open, private: kept } = contract.environment;
  return new Set([...environment, ...open.keys()].filter((name) => !kept.has(name)));
}

async function buildUnjailed(
  loaded: LoadedContract,
  { drafts = false, offline = false, onProgress = () => {}, signal }: OwnBuildOptions,
): Promise<OwnBuild> {
  const { contract, root } = loaded;
  const cacheFolder = cacheOf(root);
  const answers = await readSources({ root, contract, offline, ...(signal === undefined ? {} : { signal }) });
  const { result, withheld } = await withDeclaredEnvironment(visible(loaded), () =>
    buildSite({ root, contract, cacheFolder, drafts, answers, onProgress }),
  );
  return { ...result, withheld, isJailed: false };
}

/** What a builder keeps from one build to the next. Nobody else reads it: a template could have written it. */
const cacheOf = (root: string): string => join(stackFolders(root).cache, "site");

async function buildJailed(
  loaded: LoadedContract,
  options: OwnBuildOptions,
  uid: number | undefined,
): Promise<OwnBuild> {
  const { drafts = false, offline = false, onProgress = () => {}, onLine = () => {}, signal } = options;
  const { file, contract } = loaded;
  const root = realpathSync(loaded.root);
  const cacheFolder = cacheOf(root);
  onDisk(() => {
    mkdirSync(cacheFolder, { recursive: true });
    // Builders alone look into it, and what they leave there stays: a program that runs as its owner, say.
    chmodSync(cacheFolder, 0o700);
    if (uid !== undefined && lstatSync(cacheFolder).uid !== uid) giveTo(cacheFolder, uid);
  });
  // Asked here, with tokens and network, which the jail has none of.
  const answers = await readSources({ root, contract, offline, ...(signal === undefined ? {} : { signal }) });
  const answersFile = answers.length === 0 ? undefined : handOver(answers, cacheFolder, uid);
  const project = onDisk(() => showProject(root, cacheFolder, uid));
  try {
    const node = realpathSync(process.execPath);
    const folders = packageFolders(root);
    // Nothing can be shown at a link that is there; where it leads, it can.
    const packages = project.view.isReadOnly === true ? folders.map((path) => realpathSync(path)) : folders;
    const linked = linkedPackages(root, packages);
    // Others of a workspace are projects too, with keys and environment files of their own.
    const besides = linked.filter((path) => basename(path) !== "node_modules");
    const kept = besides.map(viewProject);
    const view: JailView = {
      ...project.view,
      hidden: [...(project.view.hidden ?? []), ...kept.flatMap(({ hidden }) => hidden)],
      masked: [...(project.view.masked ?? []), ...kept.flatMap(({ masked }) => masked)],
      root,
      readOnly: [...new Set([...packages, ...linked, ...programPaths(node, entry), compiled])],
      gate: undefined,
      environment: environmentOf(loaded, root, node, cacheFolder),
      uid,
    };
    const order: BuilderOrder = {
      file: join(root, file.slice(loaded.root.length)),
      cacheFolder,
      drafts,
      ...(answersFile === undefined ? {} : { answersFile }),
    };
    const command = [node, ...nodeOptions, ...conditions(), entry, JSON.stringify(order)];
    const report = await runBuilder(view, command, {
      onProgress,
      onLine,
      signal,
      folder: cacheFolder,
      limits: options,
    });
    const build = builtSite(report);
    const { notes } = build;
    // A copy is gone by then.
    if (notes === undefined || drafts || answers.length > 0 || !isShownItself(project)) return build;
    const program = [node, ...nodeOptions, ...conditions(), pageEntry];
    return { ...build, again: { view, linked: besides, program, order: { root, cacheFolder, notes } } };
  } finally {
    project.remove();
    if (answersFile !== undefined) rmSync(answersFile, { force: true });
  }
}

/** Puts what sources answered where a builder can read it, under a name that no earlier one could have put a link at. */
function handOver(answers: readonly SourceAnswer[], cacheFolder: string, uid: number | undefined): string {
  const file = join(cacheFolder, `answers-${crypto.randomUUID()}.json`);
  writeFileSync(file, JSON.stringify(answers), { mode: 0o600, flag: "wx" });
  if (uid !== undefined) lchownSync(file, uid, uid);
  return file;
}

/** A small nursery costs no time that could be measured, and spares a sixth of the memory of a thousand pages. */
const nodeOptions = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=2"];

const isShownItself = ({ view }: ShownProject): boolean => view.isReadOnly === true;

const entryOf = (name: string): string =>
  fileURLToPath(
    new URL(`../domains/${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
  );
const entry = entryOf("builder");
const pageEntry = entryOf("page-builder");

/** Where the package's exports lead bundlers, even when this runs from its sources. */
const compiled = fileURLToPath(new URL("../../../dist", import.meta.url));

function environmentOf(
  loaded: LoadedContract,
  root: string,
  node: string,
  cacheFolder: string,
): Record<string, string> {
  const given = [...visible(loaded), "TZ", "NODE_ENV"].flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    LANG: "C.UTF-8",
    ...Object.fromEntries(given),
    HOME: "/tmp",
    PATH: [join(root, "node_modules", ".bin"), dirname(node), "/usr/bin", "/bin"].join(delimiter),
    // Read and written by builders alone.
    NODE_COMPILE_CACHE: join(cacheFolder, "code"),
  };
}
