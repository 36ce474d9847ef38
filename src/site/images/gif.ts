import { concat, latin1, orNothing, viewOf } from "./bytes.ts";
import type { PictureFacts } from "./picture-facts.ts";

type BlockKind = "head" | "frame" | "extension" | "told" | "end";

interface Block {
  readonly kind: BlockKind;
  readonly whole: Uint8Array;
}

const tableLength = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

function* blocksOf(bytes: Uint8Array): Generator<Block> {
  const view = viewOf(bytes);
  let at = 13 + tableLength(view.getUint8(10));
  yield { kind: "head", whole: bytes.subarray(0, at) };
  while (at < bytes.length) {
    const introducer = view.getUint8(at);
    if (introducer === 0x3b) {
      yield { kind: "end", whole: bytes.subarray(at, at + 1) };
      return;
    }
    if (introducer === 0x2c) {
      const end = subBlocksEnd(view, at + 11 + tableLength(view.getUint8(at + 9)));
      yield { kind: "frame", whole: bytes.subarray(at, end) };
      at = end;
    } else if (introducer === 0x21) {
      const end = subBlocksEnd(view, at + 2);
      yield { kind: isTold(bytes, at) ? "told" : "extension", whole: bytes.subarray(at, end) };
      at = end;
    } else return;
  }
}

function subBlocksEnd(view: DataView, from: number): number {
  let at = from;
  for (let length = view.getUint8(at); length > 0; length = view.getUint8(at)) at += length + 1;
  return at + 1;
}

/** All but how a frame is shown: comments, texts that no browser draws, and what applications wrote for themselves, how often to repeat aside. */
function isTold(bytes: Uint8Array, at: number): boolean {
  const label = bytes[at + 1];
  if (label === 0xff) return !["NETSCAPE2.0", "ANIMEXTS1.0"].includes(latin1(bytes, at + 3, at + 14));
  return label !== 0xf9;
}

/** @see GIF89a §18, §20 */
export function readGif(bytes: Uint8Array): PictureFacts | undefined {
  return orNothing(() => {
    const view = viewOf(bytes);
    let frames = 0;
    for (const { kind } of blocksOf(bytes)) if (kind === "frame" && ++frames > 1) break;
    const [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
    return { format: "gif", width, height, isAnimated: frames > 1 };
  });
}

/** Keeps what shows the picture. Undefined if the file is not whole. */
export function stripGif(bytes: Uint8Array): Uint8Array | undefined {
  return orNothing(() => {
    const blocks = [...blocksOf(bytes)];
    if (blocks.at(-1)?.kind !== "end") return undefined;
    return concat(blocks.filter(({ kind }) => kind !== "told").map(({ whole }) => whole));
  });
}
