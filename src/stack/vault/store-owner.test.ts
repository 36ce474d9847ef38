import assert from "node:assert/strict";
import {
  cpSync,
  linkSync,
  lchownSync,
  lstatSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { needsRoot } from "../../../test/requires.ts";
import { bearer, defineStack, fn, parseContract, secret } from "../../contract/index.ts";
import { stackFolders } from "../folders.ts";
import { domainUser, findIsolation } from "../isolation/isolation.ts";
import { assertOwnStore } from "./store-owner.ts";
import { storeFile } from "./vault-plan.ts";
import { withVault } from "./with-vault.ts";

const contract = parseContract(
  defineStack({
    origin: "https://localhost",
    functions: { x: {} },
    secrets: { DELIVERY_KEY: secret({ use: "GET https://api.example/x", by: fn("x"), inject: bearer() }) },
  }),
);
const skip = needsRoot.skip || (findIsolation() === "uid" ? false : "root can't become other users here");

/** A site with a value, as root's command leaves it. */
async function site(context: TestContext): Promise<{ work: string; root: string }> {
  const work = realpathSync(mkdtempSync(join(tmpdir(), "curtainwall-moved-")));
  context.after(() => rmSync(work, { recursive: true }));
  const root = join(work, "mine");
  const options = { environment: "development", create: true } as const;
  await withVault({ contract, root }, options, (vault) =>
    vault.set("DELIVERY_KEY", Buffer.from("walnut-otter")),
  );
  assert.equal(ownerOf(root), domainUser("vault", root).uid);
  return { work, root };
}

const store = (root: string): string => storeFile(stackFolders(root), "development");
const ownerOf = (root: string): number => lstatSync(store(root)).uid;

/** Another folder whose vault is another user: of 80 slots two folders may share one. */
const placeOf = (work: string, root: string): string =>
  Array.from({ length: 50 }, (_, index) => join(work, `moved-${index}`)).find(
    (other) => domainUser("vault", other).uid !== domainUser("vault", root).uid,
  ) as string;

/** `cp -a`: whose each file is stays. */
function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  const files = [dirname(store(from)), store(from)];
  for (const file of files) lchownSync(file.replace(from, to), lstatSync(file).uid, lstatSync(file).gid);
}

const read = (root: string): Promise<string[]> =>
  withVault({ contract, root }, { environment: "development" }, async (vault) =>
    (await vault.list()).map(({ name }) => name),
  );

suite("a store that came with its site from another folder", { skip }, () => {
  test("is taken over by root when the site was moved or copied, and the original stays its vault's", async (context) => {
    const { work, root } = await site(context);
    const copied = placeOf(work, root);
    copy(root, copied);
    assert.deepEqual(await read(copied), ["DELIVERY_KEY"]);
    assert.equal(ownerOf(copied), domainUser("vault", copied).uid);
    assert.equal(ownerOf(root), domainUser("vault", root).uid);
    assert.deepEqual(await read(root), ["DELIVERY_KEY"]);
    rmSync(copied, { recursive: true });
    renameSync(root, copied);
    assert.deepEqual(await read(copied), ["DELIVERY_KEY"]);
  });

  test("is not taken over by way of a link, symbolic or hard: it would be taken away from the other site", async (context) => {
    const { work, root } = await site(context);
    const thief = placeOf(work, root);
    copy(root, thief);
    const vault = join(stackFolders(thief).state, "vault");
    const refused = (): void =>
      assert.throws(() => assertOwnStore(store(thief), { root: thief }), { code: "STACK_STATE_FOREIGN" });
    unlinkSync(store(thief));
    linkSync(store(root), store(thief));
    refused();
    await assert.rejects(read(thief), /taken away there/);
    unlinkSync(store(thief));
    symlinkSync(store(root), store(thief));
    refused();
    rmSync(vault, { recursive: true });
    symlinkSync(join(stackFolders(root).state, "vault"), vault);
    refused();
    await assert.rejects(read(thief), /taken away there/);
    assert.equal(ownerOf(root), domainUser("vault", root).uid);
    assert.deepEqual(await read(root), ["DELIVERY_KEY"]);
  });

  test("of anybody who is none of ours is still refused, with whose it is", async (context) => {
    const { root } = await site(context);
    for (const uid of [1000, domainUser("ledger", root).uid]) {
      lchownSync(dirname(store(root)), uid, uid);
      await assert.rejects(read(root), { code: "STACK_STATE_FOREIGN", hint: new RegExp(`uid ${uid}\\b`) });
    }
  });
});
