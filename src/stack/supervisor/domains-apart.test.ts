import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { needsRoot, requires } from "../../../test/requires.ts";
import { lockLog } from "../../ledger/node.ts";
import { functionGroups } from "../functions/function-groups.ts";
import { openProgram } from "../functions/open-program.ts";
import { loadContract, stackFolders, startStack } from "../index.ts";
import type { RunningStack } from "../index.ts";
import { domainUser, groupUser, jailUser } from "../isolation/isolation.ts";
import { findSystemProgram } from "../jail/system-program.ts";
import {
  callFunction,
  makeFunctionSite,
  runFolderOf,
  takeOver,
  withChildren,
} from "./fixtures/function-site.ts";

const bwrap = requires("bwrap");
const code = readFileSync(new URL("fixtures/trespass.mjs", import.meta.url), "utf8");
const domains = ["edge", "ledger", "vault", "egress", "functions"] as const;

/** What a stack has that others may want. */
interface Targets {
  processes: Record<string, number>;
  files: string[];
  folders: string[];
  sockets: string[];
}

async function targetsIn(stack: RunningStack, root: string): Promise<Targets> {
  const folder = runFolderOf(process.pid);
  const { contract } = await loadContract(root);
  for (const { functions } of functionGroups(contract))
    assert.equal(await callFunction(folder, functions[0]?.name ?? ""), 200);
  const groups = Object.entries(stack.groupPids()).map(([name, pid]) => [
    `group ${name}`,
    withChildren(pid).at(-1) ?? pid,
  ]);
  const state = join(root, ".curtainwall");
  const isTheirs = /^(?:vault\/|ledger\/|release\/|supervisor\/|functions\/|edge\/assertion\.key|ca\/.*key)/;
  const inside = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((path) =>
    isTheirs.test(path),
  );
  const isFolder = (path: string): boolean => statSync(join(state, path)).isDirectory();
  return {
    processes: { supervisor: process.pid, ...stack.pids(), ...Object.fromEntries(groups) },
    files: inside.filter((path) => !isFolder(path)).map((path) => join(state, path)),
    folders: [folder, state, ...["vault/development", "ledger", "release"].map((path) => join(state, path))],
    sockets: readdirSync(folder).map((name) => join(folder, name)),
  };
}

/** What works for a program of this user. */
function trespass(uid: number, targets: Targets): string[] {
  const { stdout, stderr, status } = spawnSync(
    openProgram(process.execPath),
    ["--input-type=module", "-e", code, JSON.stringify(targets)],
    { uid, gid: uid, encoding: "utf8", env: {}, cwd: "/" },
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[];
}

test(
  "As each domain's user, a group's and a build's, nothing of the others can be read, signalled or connected to but the one socket that is theirs",
  { skip: needsRoot.skip || bwrap.skip },
  async () => {
    const site = await makeFunctionSite();
    const stack = await startStack({ path: site.root, log: () => undefined, isolation: "uid" });
    try {
      const targets = await targetsIn(stack, site.root);
      assert.ok(targets.files.some((path) => path.endsWith("store.db")));
      assert.ok(targets.files.some((path) => path.endsWith("vault.key")));
      assert.equal(targets.sockets.length, 7);
      const users = {
        ...Object.fromEntries(domains.map((domain) => [domain, domainUser(domain, site.root).uid])),
        "group quotes": groupUser(0, site.root).uid,
        "group plain": groupUser(1, site.root).uid,
        build: jailUser(site.root).uid,
        nobody: 65_534,
      };
      const folder = dirname(targets.sockets[0] ?? "");
      const connected: Record<string, string[]> = {};
      for (const [name, uid] of Object.entries(users)) {
        const worked = trespass(uid, targets);
        assert.ok(worked.includes("read own status"), "the attempts were made");
        connected[name] = worked
          .filter((what) => what.startsWith("connect "))
          .map((what) => basename(what))
          .sort();
        const rest = worked.filter((what) => !what.startsWith("connect ") && what !== "read own status");
        assert.deepEqual(
          rest.filter((what) => !isOwn(name, what, site.root)),
          [],
          name,
        );
      }
      assert.deepEqual(connected, {
        edge: ["egress-edge", "functions"],
        ledger: [],
        vault: [],
        egress: ["vault"],
        functions: ["group-0", "group-1"],
        "group quotes": ["egress-0"],
        "group plain": ["egress-1"],
        build: [],
        nobody: [],
      });
      assert.ok(!readdirSync(folder).includes("planted"));
    } finally {
      await stack.close();
      site.remove();
    }
  },
);

/**
 * A user may signal its own process and use its own folder, and may list the state's names, which say nothing. A domain's memory is closed even to
 * its own user; a group's is not, whose sandbox shows it none.
 */
function isOwn(name: string, what: string, root: string): boolean {
  const state = join(root, ".curtainwall");
  const folder = { vault: "vault/development", ledger: "ledger" }[name];
  return (
    what === `signal ${name}` ||
    (name.startsWith("group ") && what.endsWith(` of ${name}`)) ||
    what === `list ${state}` ||
    (folder !== undefined && what.includes(` ${join(state, folder)}`) && !what.includes("vault.key"))
  );
}

test(
  "In the sandbox of each domain there are no other processes, no site, no state but its own, and no socket but those that it uses",
  { skip: needsRoot.skip || bwrap.skip },
  async () => {
    const site = await makeFunctionSite();
    takeOver(site);
    const stack = await startStack({ path: site.root, log: () => undefined, isolation: "bwrap" });
    try {
      assert.throws(() => lockLog(stackFolders(site.root).logLockFile, 0), { code: "LEDGER_IN_USE" });
      const targets = await targetsIn(stack, site.root);
      const connected = Object.fromEntries(
        Object.entries(stack.pids()).map(([name, pid]) => {
          const worked = trespassInside(withChildren(pid).at(-1) ?? pid, targets);
          const rest = worked.filter((what) => !what.startsWith("connect "));
          if (name === "vault")
            assert.ok(
              worked.some((what) => /^read .*store\.db$/.test(what)),
              "its own",
            );
          const own = { vault: "vault/development", ledger: "ledger" }[name];
          // Empty, and locked by it: of the folder that it lies in the ledger sees nothing else.
          const isLock = (what: string): boolean =>
            name === "ledger" && what.endsWith(` ${stackFolders(site.root).logLockFile}`);
          const isOthers = (what: string): boolean =>
            !isLock(what) &&
            (own === undefined || !what.includes(` ${join(site.root, ".curtainwall", own)}`));
          // Below /tmp, which a sandbox has in its own memory, it may make what nobody else sees.
          const isImagined = (what: string): boolean =>
            what.startsWith("make /tmp/") && !existsSync(what.slice("make ".length));
          // Of the folders on the way to what it is shown it sees those alone.
          assert.deepEqual(
            rest.filter((what) => isOthers(what) && !isImagined(what) && !what.startsWith("list ")),
            [],
            name,
          );
          return [
            name,
            worked
              .filter((what) => what.startsWith("connect "))
              .map((what) => basename(what))
              .sort(),
          ];
        }),
      );
      assert.deepEqual(connected, {
        edge: ["egress-edge", "functions"],
        ledger: [],
        vault: [],
        egress: ["vault"],
        functions: ["group-0", "group-1"],
      });
    } finally {
      await stack.close();
      site.remove();
    }
  },
);

/** What works for a program in the sandbox of a process. */
function trespassInside(pid: number, targets: Targets): string[] {
  const { stdout, stderr, status } = spawnSync(
    findSystemProgram("nsenter") ?? "",
    [
      ...[
        "--target",
        String(pid),
        "--user",
        "--preserve-credentials",
        "--mount",
        "--pid",
        "--net",
        "--ipc",
        "--",
      ],
      ...[process.execPath, "--input-type=module", "-e", code, JSON.stringify(targets)],
    ],
    { encoding: "utf8", env: {}, cwd: "/" },
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as string[];
}
