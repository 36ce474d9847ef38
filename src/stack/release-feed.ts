import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { contractDigest } from "../contract/index.ts";
import type { AcceptedRelease } from "../contract/index.ts";
import { openReleaseStore } from "../release/node.ts";
import type { StoredRelease } from "../release/node.ts";
import { readAccepted, writeAccepted } from "./accepted-release.ts";
import type { ControlChannel } from "./control.ts";
import type { StackFolders } from "./folders.ts";
import type { LoadedContract } from "./load-contract.ts";
import type { EdgeConfiguration, FromDomain, ToEdge } from "./messages.ts";
import { findSiteKeys } from "./release-keys.ts";

/** Where an edge gets its releases from. */
export interface EdgeIntake {
  readonly control: Pick<ControlChannel<FromDomain, ToEdge>, "send">;
  readonly pipe: Socket;
}

/** Hands releases from a site's store to its edge, and remembers what was accepted. */
export interface ReleaseFeed {
  readonly isDevelopment: boolean;
  readonly acceptance: EdgeConfiguration["acceptance"];
  /** What to try when an edge starts: the newest release, then the one that was served last. */
  candidates(): StoredRelease[];
  /** The newest release, if it was not handed over yet. */
  next(): StoredRelease | undefined;
  /** Announces a release and sends its bytes. */
  send(edge: EdgeIntake, release: StoredRelease): Promise<void>;
  /** Below this nothing is taken any more, not even after a restart. */
  remember(accepted: AcceptedRelease): void;
}

/**
 * Opens the feed of a site.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` for a damaged record, and what finding the keys throws
 */
export async function openReleaseFeed(
  { contract }: Pick<LoadedContract, "contract">,
  folders: StackFolders,
): Promise<ReleaseFeed> {
  const store = openReleaseStore(folders.releases);
  const { pinned, isDevelopment } = await findSiteKeys(contract, folders);
  const acceptance = {
    program: pinned.program.text,
    release: pinned.release.text,
    site: contract.origin,
    contract: await contractDigest(contract),
  };
  let last = readAccepted(folders);
  /** The newest one that an edge was asked to take, whatever became of it: a refused one is not tried every second. */
  let handedOver = 0;

  return {
    isDevelopment,
    acceptance,
    candidates() {
      const newest = store.current();
      const served = store
        .list()
        .find(({ sequence, bytes }) => sequence === last?.sequence && bytes !== undefined);
      return [newest, served].filter(
        (entry, index, all): entry is StoredRelease =>
          entry !== undefined && (index === 0 || entry.sequence !== all[0]?.sequence),
      );
    },
    next() {
      if (store.newest() <= handedOver) return undefined;
      const newest = store.current();
      return newest !== undefined && newest.sequence > handedOver ? newest : undefined;
    },
    async send({ control, pipe }, { sequence, signatures, packFile }) {
      handedOver = Math.max(handedOver, sequence);
      const signed = Buffer.from(signatures);
      // Opened before anything is announced: what was announced must come.
      const file = createReadStream(packFile);
      await once(file, "open");
      const { size } = statSync(packFile);
      control.send({ type: "release", signatureBytes: signed.length, packBytes: size, last });
      pipe.write(signed);
      file.pipe(pipe, { end: false });
      await finished(file);
    },
    remember(accepted) {
      if (last !== undefined && last.sequence === accepted.sequence) return;
      last = accepted;
      writeAccepted(folders, accepted);
    },
  };
}
