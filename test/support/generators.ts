import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { alone } from "./alone.ts";

/** Site generators whose real output tests harden. Each has its sources and its lockfile in `test/generators/`. */
export const generators = ["eleventy", "astro", "vitepress", "next"] as const;
export type Generator = (typeof generators)[number];

const outputs: Readonly<Record<Generator, string>> = {
  eleventy: "dist",
  astro: "dist",
  vitepress: "docs/.vitepress/dist",
  next: "out",
};

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A site that a generator made. */
export interface GeneratorSite {
  /** False when there is a site; else why not. */
  readonly skip: string | false;
  /** The folder that the generator wrote. */
  readonly folder: string;
}

/** The sites of all generators, made one after the other. */
export async function generatorSites(): Promise<Readonly<Record<Generator, GeneratorSite>>> {
  const sites: Partial<Record<Generator, GeneratorSite>> = {};
  for (const name of generators) sites[name] = await generatorSite(name);
  return sites as Record<Generator, GeneratorSite>;
}

/**
 * Installs a generator from its lockfile and builds its site: once for all test files, then kept below `.curtainwall/test` until its lockfile
 * changes.
 * Without a registry the site can't be had: tests are skipped then, unless `CURTAINWALL_REQUIRE_ALL=1` forbids that.
 */
async function generatorSite(name: Generator): Promise<GeneratorSite> {
  const source = join(repository, "test", "generators", name);
  const lock = readFileSync(join(source, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex").slice(0, 12);
  const home = join(repository, ".curtainwall", "test", "generators", `${name}-${digest}`);
  const folder = join(home, outputs[name]);
  if (existsSync(folder)) return { skip: false, folder };
  const release = await alone(`generator ${name}`);
  // Another test file may have built it meanwhile.
  if (!existsSync(folder)) {
    const failure = build(source, home);
    if (failure !== undefined) return { skip: `${name} can't be installed or run: ${failure}`, folder: "" };
  }
  release();
  return { skip: false, folder };
}

/** Installs and builds in a folder beside the one that is meant, which appears whole; returns what went wrong. */
function build(source: string, home: string): string | undefined {
  const fresh = `${home}.${process.pid}`;
  try {
    mkdirSync(dirname(home), { recursive: true });
    cpSync(source, fresh, { recursive: true });
    // Not `npm ci`: it refuses a lockfile in which other platforms' binaries are missing, and the registry lacks some of them.
    run(fresh, "install", "--ignore-scripts");
    run(fresh, "run", "build");
    renameSync(fresh, home);
    return undefined;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const reason = String((error as { stderr?: unknown }).stderr ?? error).slice(-400);
    if (process.env.CURTAINWALL_REQUIRE_ALL === "1") throw new Error(reason, { cause: error });
    return reason;
  }
}

function run(folder: string, ...args: string[]): void {
  execFileSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    timeout: 240_000,
    stdio: ["ignore", "pipe", "pipe"],
    // Which registry, and through which proxy, is known to the environment alone.
    env: {
      ...process.env,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
      CI: "true",
      ASTRO_TELEMETRY_DISABLED: "1",
      NEXT_TELEMETRY_DISABLED: "1",
    },
  });
}
