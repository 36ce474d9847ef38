import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** System programs that some tests need and a developer's machine may lack. */
export type SystemProgram =
  | "chromium"
  | "bwrap"
  | "nginx"
  | "caddy"
  | "haproxy"
  | "redis-server"
  | "postgres"
  | "wrk"
  | "openssl"
  | "git"
  | "age"
  | "ssh-keygen"
  | "prlimit"
  | "ip"
  | "unshare"
  | "script";

/** Options of a test that only root can run, say because it gives processes users of their own. `.ci/run` knows the reason. */
export const needsRoot: { readonly skip: string | false } = {
  skip: process.getuid?.() === 0 ? false : "needs root",
};

/** Options of a `node:test` test, and where the program is. */
export interface Required {
  /** False when the test can run; else why not. */
  readonly skip: string | false;
  /** Absolute path of the program; empty when it is missing. */
  readonly path: string;
}

interface Program {
  /** The names it has on different systems, the likeliest first. */
  names: readonly string[];
  debian: string;
  /** Arguments of a call that succeeds only if the program can do its work here. */
  probe?: readonly string[];
  /** Further folders that it may lie in. */
  folders?: () => string[];
}

const programs: Record<SystemProgram, Program> = {
  chromium: { names: ["chromium", "chromium-browser", "google-chrome"], debian: "chromium" },
  bwrap: {
    names: ["bwrap"],
    debian: "bubblewrap",
    probe: ["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", process.execPath, "--version"],
  },
  nginx: { names: ["nginx"], debian: "nginx-light" },
  caddy: { names: ["caddy"], debian: "caddy" },
  haproxy: { names: ["haproxy"], debian: "haproxy" },
  "redis-server": { names: ["redis-server", "valkey-server"], debian: "redis-server" },
  postgres: { names: ["postgres"], debian: "postgresql", folders: postgresFolders },
  wrk: { names: ["wrk"], debian: "wrk" },
  openssl: { names: ["openssl"], debian: "openssl" },
  git: { names: ["git"], debian: "git" },
  prlimit: { names: ["prlimit"], debian: "util-linux" },
  ip: { names: ["ip"], debian: "iproute2" },
  unshare: { names: ["unshare"], debian: "util-linux" },
  script: { names: ["script"], debian: "bsdutils" },
  age: { names: ["age"], debian: "age" },
  "ssh-keygen": { names: ["ssh-keygen"], debian: "openssh-client" },
};

const found = new Map<SystemProgram, Required>();

/**
 * Options for a test that needs a system program: skips it with the reason when the program is missing or can't work here.
 * With `CURTAINWALL_REQUIRE_ALL=1` in the environment (as `.ci/run` has it) it throws instead, so that nothing is skipped unseen.
 *
 * @example
 * ```ts
 * const chromium = requires("chromium");
 * test("no page violates its policy", chromium, async () => { launch(chromium.path); });
 * ```
 */
export function requires(name: SystemProgram): Required {
  const result = found.get(name) ?? look(name);
  found.set(name, result);
  if (result.skip !== false && process.env.CURTAINWALL_REQUIRE_ALL === "1")
    throw new Error(`A test would be skipped, and CURTAINWALL_REQUIRE_ALL forbids that: ${result.skip}`);
  return result;
}

function look(name: SystemProgram): Required {
  const { names, debian, probe, folders } = programs[name];
  const path = names.flatMap((one) => pathsOf(one, folders?.() ?? [])).find(isExecutable);
  if (path === undefined) return { skip: `${name} is not installed (Debian: ${debian})`, path: "" };
  if (probe === undefined) return { skip: false, path };
  const { status, stderr } = spawnSync(path, probe, { encoding: "utf8", timeout: 10_000 });
  return status === 0
    ? { skip: false, path }
    : { skip: `${name} does not work here: ${stderr.trim() || `it ended with ${status}`}`, path };
}

/** Where a program may lie; the `sbin` folders are missing in an ordinary user's PATH. */
function pathsOf(name: string, more: readonly string[]): string[] {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/sbin",
    ...more,
  ];
  return folders.filter((folder) => folder !== "").map((folder) => join(folder, name));
}

/** Debian keeps each version's programs apart, and outside of the path. */
function postgresFolders(): string[] {
  const versions = "/usr/lib/postgresql";
  return existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, "bin")) : [];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
