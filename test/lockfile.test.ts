import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";

interface LockEntry {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

interface Manifest {
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const read = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8")) as T;

const lock = read<{ lockfileVersion: number; packages: Record<string, LockEntry> }>("package-lock.json");
const entries = Object.entries(lock.packages);
const fromRegistry = entries.filter(([path, entry]) => path.includes("node_modules/") && entry.link !== true);
const { workspaces = [] } = read<Manifest>("package.json");

/** The entry that a package at this path gets when it asks for a name: the nearest `node_modules` has it. */
function resolve(from: string, name: string): LockEntry | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf("/"), 0))) {
    const entry = lock.packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`];
    if (entry !== undefined || folder === "") return entry;
  }
}

suite("the lockfile", () => {
  test("it names no registry, so that it works behind any", () => {
    const named = entries.filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:/.test(resolved));
    assert.deepEqual(
      named.map(([path]) => path),
      [],
    );
  });

  test("it holds the hash of every package that comes from a registry", () => {
    const without = fromRegistry.filter(([, { integrity }]) => integrity?.startsWith("sha512-") !== true);
    assert.ok(fromRegistry.length > 100);
    assert.deepEqual(
      without.map(([path]) => path),
      [],
    );
  });

  test("every platform's package of every tool is in it, so that it installs on each", () => {
    const missing = entries.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([name]) => resolve(path, name) === undefined)
        .map(([name]) => `${path || "the project"} → ${name}`),
    );
    assert.deepEqual(missing, []);
  });

  test("the platform packages of a tool have the version that the tool names", () => {
    const wrong = entries.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([, wanted]) => /^\d/.test(wanted))
        .filter(([name, wanted]) => resolve(path, name)?.version !== wanted)
        .map(([name]) => `${path} → ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  test("this repository's Node is there for each platform, and none of its packages runs a script", () => {
    const { optionalDependencies = {} } = read<Manifest>("tools/node/package.json");
    const names = Object.keys(optionalDependencies);
    assert.ok(names.length >= 5);
    for (const name of names) {
      const entry = lock.packages[`node_modules/${name}`];
      assert.equal(entry?.version, optionalDependencies[name]);
      assert.equal(entry?.hasInstallScript, undefined, name);
    }
    assert.equal(new Set(Object.values(optionalDependencies)).size, 1, "one version for all");
  });

  test("each dependency is pinned to one version, in each package.json of the repository", () => {
    for (const folder of ["", ...workspaces.map((workspace) => `${workspace}/`)]) {
      const manifest = read<Manifest>(`${folder}package.json`);
      const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
      for (const [name, version] of Object.entries(all)) {
        if (version.startsWith("file:")) continue;
        assert.match(version, /^\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?$/, `${folder}package.json: ${name}`);
        assert.equal(resolve(folder.slice(0, -1), name)?.version, version, `${name} is locked to another`);
      }
    }
  });

  test("npm is told to keep it so", () => {
    const npmrc = readFileSync(new URL("../.npmrc", import.meta.url), "utf8");
    assert.match(npmrc, /^omit-lockfile-registry-resolved=true$/m);
    assert.doesNotMatch(npmrc, /registry\s*=\s*http|_auth|password/i);
  });
});
