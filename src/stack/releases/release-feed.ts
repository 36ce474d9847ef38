import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import { contractDigest } from "../../contract/index.ts";
import type { AcceptedRelease } from "../../contract/index.ts";
import { openReleaseStore } from "../../release/node.ts";
import type { StoredRelease } from "../../release/node.ts";
import { readAccepted, writeAccepted } from "./accepted-release.ts";
import type { ControlChannel } from "../processes/control.ts";
import type { StackFolders } from "../folders.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import type { EdgeConfiguration, FromDomain, ToEdge } from "../processes/messages.ts";
import { findSiteKeys } from "./release-keys.ts";

/** Sixteen times the default: half a gigabyte is handed over in one second instead of seven. */
const chunkBytes = 1_048_576;
const padding = new Uint8Array(65_536);

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
  // The supervisor needs no private key: with pinned ones it opens none.
  const pinned = contract.keys ?? (await findSiteKeys(contract, folders)).pinned;
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
    isDevelopment: contract.keys === undefined,
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
      const { size } = statSync(packFile);
      const file = createReadStream(packFile, { end: Math.max(size - 1, 0), highWaterMark: chunkBytes });
      await once(file, "open");
      control.send({ type: "release", signatureBytes: signed.length, packBytes: size, last });
      pipe.write(signed);
      file.pipe(pipe, { end: false });
      await finished(file);
      // A file that somebody cut meanwhile must not leave the edge waiting: what is missing is refused like what is wrong.
      for (let missing = size - file.bytesRead; missing > 0; missing -= padding.length)
        pipe.write(padding.subarray(0, missing));
    },
    remember(accepted) {
      if (last !== undefined && last.sequence === accepted.sequence) return;
      last = accepted;
      writeAccepted(folders, accepted);
    },
  };
}
