import type { Duplex } from "node:stream";

/** What the vault and who talks to it send each other: a JSON object, and bytes that belong to it and are no text. */
export interface Frame<Header> {
  readonly header: Header;
  /** A copy that is its receiver's to zero. Empty when there are none. */
  readonly bytes: Buffer;
}

/** A connection that carries frames. */
export interface FrameChannel<In, Out> {
  /** Resolves when the kernel has the frame; `bytes` may be zeroed from then on. */
  send(header: Out, bytes?: Uint8Array): Promise<void>;
  onFrame(listener: (frame: Frame<In>) => void): void;
  /** Called once, when the other side is gone or sent what is no frame. */
  onClose(listener: () => void): void;
  close(): void;
}

/** Longest header, and longest bytes: values are at most 64 KiB, an exported vault some MiB. */
const maxHeaderBytes = 1_048_576;
const maxBytes = 16_777_216;
const prefixBytes = 8;

/**
 * Opens a channel over a connected socket: four bytes with the header's length, four with that of the bytes, then both. A side that
 * sends more than that allows, or no JSON object, is cut off: neither has reason to.
 */
export function openFrames<In, Out>(socket: Duplex): FrameChannel<In, Out> {
  let chunks: Buffer[] = [];
  let size = 0;
  let needed = prefixBytes;
  let listener: ((frame: Frame<In>) => void) | undefined;
  const waiting: Frame<In>[] = [];
  const deliver = (frame: Frame<In>): void => void (listener ? listener(frame) : waiting.push(frame));

  function take(): void {
    while (size >= needed) {
      const all = chunks.length === 1 ? (chunks[0] as Buffer) : join(chunks);
      chunks = [all];
      const headerBytes = all.readUInt32BE(0);
      const byteCount = all.readUInt32BE(4);
      if (headerBytes > maxHeaderBytes || byteCount > maxBytes) return void socket.destroy();
      needed = prefixBytes + headerBytes + byteCount;
      if (size < needed) return;
      const header = parseHeader<In>(all.subarray(prefixBytes, prefixBytes + headerBytes));
      if (header === undefined) return void socket.destroy();
      const bytes = Buffer.alloc(byteCount);
      all.copy(bytes, 0, needed - byteCount, needed);
      chunks = size === needed ? [] : [Buffer.from(all.subarray(needed))];
      size -= needed;
      needed = prefixBytes;
      all.fill(0);
      deliver({ header, bytes });
    }
  }

  socket.on("error", () => undefined);
  socket.on("end", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    take();
  });
  return {
    send: (header, bytes = new Uint8Array()) => sendFrame(socket, header, bytes),
    onFrame(given) {
      listener = given;
      for (const frame of waiting.splice(0)) given(frame);
    },
    onClose: (given) => void socket.once("close", given),
    close: () => void socket.destroy(),
  };
}

function sendFrame(socket: Duplex, header: unknown, bytes: Uint8Array): Promise<void> {
  const text = Buffer.from(JSON.stringify(header));
  const frame = Buffer.alloc(prefixBytes + text.length + bytes.length);
  frame.writeUInt32BE(text.length, 0);
  frame.writeUInt32BE(bytes.length, 4);
  frame.set(text, prefixBytes);
  frame.set(bytes, prefixBytes + text.length);
  return new Promise((resolve) => {
    socket.write(frame, () => {
      frame.fill(0);
      resolve();
    });
  });
}

/** One buffer of many; what it was made of is zeroed. */
function join(chunks: readonly Buffer[]): Buffer {
  const all = Buffer.alloc(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
    chunk.fill(0);
  }
  return all;
}

function parseHeader<In>(bytes: Buffer): In | undefined {
  try {
    const header: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof header === "object" && header !== null && !Array.isArray(header)
      ? (header as In)
      : undefined;
  } catch {
    return undefined;
  }
}
