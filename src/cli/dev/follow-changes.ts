import { openReleaseStore } from "../../release/node.ts";
import { printable } from "../../shared/index.ts";
import { buildFunctions, publishStored, stackFolders } from "../../stack/index.ts";
import type { BuiltFunction, LoadedContract, RunningStack, SiteKeys } from "../../stack/index.ts";
import { say, sayError, styled } from "../voice.ts";
import { checkContract } from "./check-contract.ts";
import { codeFrame } from "./code-frame.ts";
import { sortChanges } from "./sort-changes.ts";
import type { Work } from "./sort-changes.ts";

/** Options of {@link followChanges}. */
export interface FollowChangesOptions {
  readonly loaded: LoadedContract;
  readonly stack: Pick<RunningStack, "lookForRelease">;
  /** What a release is signed with. */
  readonly keys: SiteKeys;
  /** Builds and publishes all of the site; tells whether visitors get something else than before. */
  readonly build: () => Promise<boolean>;
  /** The contract is another one, and can be loaded. */
  readonly onContractChanged: () => void;
}

/** Makes what was changed visitors', one change after another. */
export interface ChangeFollower {
  /** Takes note of files, relative to the contract. */
  changed(files: readonly string[]): void;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** Does as little as a change needs: a function alone, or the site, or everything anew. What fails is told, and what is served stays. */
export function followChanges(options: FollowChangesOptions): ChangeFollower {
  const { loaded, stack, keys } = options;
  const sort = sortChanges(loaded);
  const waiting = new Set<string>();
  /** What has failed: anything that is written may mend it. */
  const failed = new Set<Work>();
  let sources: ReadonlySet<string> = new Set();
  // They were built a moment ago: this only asks what they were made of.
  let working: Promise<void> = buildFunctions(loaded).then(noteSources, () => undefined);

  async function work(): Promise<void> {
    // What was changed while the last change was worked on is one change.
    const next = whatToDo([...waiting]);
    waiting.clear();
    if (next === undefined) return;
    const began = performance.now();
    try {
      const done = await does[next]();
      failed.delete(next);
      if (next === "site") failed.delete("functions");
      if (done !== undefined)
        say(`${styled("green", done)} ${styled("dim", `in ${Math.round(performance.now() - began)} ms`)}`);
    } catch (error) {
      failed.add(next);
      sayError(error);
      const frame = codeFrame(loaded.root, error);
      if (frame !== undefined) say(frame);
      say(styled("dim", "What is served stays as it was"));
    }
  }

  /** The most that one of the files asks for. */
  function whatToDo(files: readonly string[]): Doable | undefined {
    const asked = new Set(files.map((file) => sort(file, sources)));
    // A contract that was refused is asked about again when it, or what was approved, is another.
    if (asked.has("approvals") && failed.has("contract")) asked.add("contract");
    if (files.length > 0) for (const part of failed) if (part !== "contract") asked.add(part);
    return order.find((part) => asked.has(part));
  }

  const does: Readonly<Record<Doable, () => Promise<string | undefined>>> = {
    async contract() {
      await checkContract(loaded.file);
      say("the contract changed: starting again");
      options.onContractChanged();
      return undefined;
    },
    async site() {
      const isNew = await options.build();
      if (loaded.contract.functions.size > 0) noteSources(await buildFunctions(loaded));
      await stack.lookForRelease();
      return isNew ? "built" : undefined;
    },
    async functions() {
      const built = await buildFunctions(loaded);
      noteSources(built);
      const fresh = built.filter(({ isNew }) => isNew).map(({ name }) => name);
      // After a failure what was built last may not be what was signed last.
      if (fresh.length === 0 && !failed.has("functions")) return undefined;
      const current = openReleaseStore(stackFolders(loaded.root).releases).current();
      const isNew =
        current === undefined
          ? await options.build()
          : (await publishStored(loaded, current.digest, { keys })).isNew;
      await stack.lookForRelease();
      return isNew ? `swapped ${printable(fresh.join(", "))}`.trimEnd() : "as before";
    },
  };

  function noteSources(built: readonly BuiltFunction[]): void {
    sources = new Set(built.flatMap((one) => one.sources));
  }

  return {
    changed(files) {
      for (const file of files) waiting.add(file);
      working = working.then(work);
    },
    settled: () => working,
  };
}

/** What is done includes what stands behind it. */
const order = ["contract", "site", "functions"] as const;
type Doable = (typeof order)[number];
