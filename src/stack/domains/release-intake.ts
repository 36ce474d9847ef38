import { hash } from "node:crypto";
import { Socket } from "node:net";
import { acceptRelease, decodeRelease, parsePublicKey } from "../../contract/index.ts";
import type { AcceptedRelease, Release, ReleaseKeys } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { EdgeConfiguration, ToEdge } from "../processes/messages.ts";

/** What the edge is told about a release whose bytes follow on its pipe. */
export type ReleaseAnnouncement = Extract<ToEdge, { type: "release" }>;

/** Takes releases in, one after another. */
export interface ReleaseIntake {
  /**
   * Reads the release that was announced, whole, into memory that threads share, and decides whether it may be served.
   *
   * @throws {CurtainwallError} what `decodeRelease` and `acceptRelease` throw; the next release can be taken in all the same
   */
  take(announcement: ReleaseAnnouncement): Promise<{ release: Release; accepted: AcceptedRelease }>;
}

/** What the edge holds in memory at most, and its manifest. */
const maxPackBytes = 768 * 1024 * 1024;
/** A program of a million hashes. */
const maxSignatureBytes = 128 * 1024 * 1024;

/** Opens the pipe that releases come through. The edge holds public keys only: it can check a release, and sign none. */
export function openReleaseIntake({ releaseFd, acceptance }: EdgeConfiguration): ReleaseIntake {
  const reader = createReader(new Socket({ fd: releaseFd, readable: true, writable: false }));
  const keys = pinnedKeys(acceptance);
  let last: AcceptedRelease | undefined;

  return {
    async take(announcement) {
      const { signatureBytes, packBytes } = announcement;
      if (signatureBytes > maxSignatureBytes || packBytes > maxPackBytes) {
        // Read all the same: what follows in the pipe is the next release.
        await reader.skip(signatureBytes + packBytes);
        throw new CurtainwallError(
          "EDGE_RELEASE_TOO_LARGE",
          `The release takes ${packBytes} bytes; the edge reads ${maxPackBytes}.`,
          {
            hint: "Move large media elsewhere",
          },
        );
      }
      const signatures = await reader.read(new Uint8Array(signatureBytes));
      const pack = await reader.read(new Uint8Array(new SharedArrayBuffer(packBytes)));
      // Where it lies: a copy of a film would take as much again. Nobody waits for this thread meanwhile.
      const release = await decodeRelease(pack, (bytes) => hash("sha256", bytes, "buffer"));
      const { site, contract } = acceptance;
      const { sequence, digest } = await acceptRelease(release, new TextDecoder().decode(signatures), {
        keys,
        site,
        contract,
        last: newest(last, announcement.last),
        now: Date.now(),
      });
      last = { sequence, digest };
      return { release, accepted: last };
    },
  };
}

function pinnedKeys({ program, release }: EdgeConfiguration["acceptance"]): ReleaseKeys {
  const keys = { program: parsePublicKey(program), release: parsePublicKey(release) };
  if (keys.program === undefined || keys.release === undefined)
    throw new Error("the pinned keys are no keys");
  return { program: keys.program, release: keys.release };
}

/** What this process accepted counts, and what is on record counts: the higher one. */
function newest(
  own: AcceptedRelease | undefined,
  recorded: AcceptedRelease | undefined,
): AcceptedRelease | undefined {
  if (own === undefined || recorded === undefined) return own ?? recorded;
  return own.sequence > recorded.sequence ? own : recorded;
}

interface Reader {
  /** Fills the buffer from what comes next. */
  read(into: Uint8Array): Promise<Uint8Array>;
  /** Reads as much, and forgets it. */
  skip(length: number): Promise<void>;
}

function createReader(socket: Socket): Reader {
  let target: { into: Uint8Array; at: number; done: (bytes: Uint8Array) => void } | undefined;
  let waiting: Uint8Array[] = [];

  function fill(): void {
    while (target !== undefined) {
      const { into, done } = target;
      if (target.at === into.length) {
        target = undefined;
        return done(into);
      }
      const [chunk] = waiting;
      if (chunk === undefined) return void socket.resume();
      const part = chunk.subarray(0, into.length - target.at);
      into.set(part, target.at);
      target.at += part.length;
      if (part.length === chunk.length) waiting = waiting.slice(1);
      else waiting[0] = chunk.subarray(part.length);
    }
  }

  socket.on("data", (chunk: Buffer) => {
    waiting.push(chunk);
    fill();
    // Nobody waits for more: it stays in the pipe.
    if (target === undefined) socket.pause();
  });
  socket.pause();
  const read = (into: Uint8Array): Promise<Uint8Array> =>
    new Promise((done) => {
      target = { into, at: 0, done };
      fill();
    });
  return {
    read,
    async skip(length) {
      const scratch = new Uint8Array(65_536);
      for (let left = length; left > 0; left -= scratch.length) await read(scratch.subarray(0, left));
    },
  };
}
