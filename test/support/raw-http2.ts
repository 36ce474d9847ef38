import type { TLSSocket } from "node:tls";
import { openRaw } from "../../src/edge/node/test-edge.ts";

// HTTP/2 frame by frame, for what no client would send.

/** A header field as it is to be written, whatever it says. */
export type Field = readonly [name: string, value: string];

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
};
export const flags = { endStream: 1, ack: 1, endHeaders: 4 };

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Writes one frame (RFC 9113 §4.1). */
export function frame(
  type: number,
  frameFlags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(frameFlags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Writes fields literally, without the dynamic table (RFC 7541 §6.2.2). */
export function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** An integer with a prefix of so many bits (RFC 7541 §5.1). */
export function integer(value: number, bits: number, first = 0): Buffer {
  const limit = 2 ** bits - 1;
  if (value < limit) return Buffer.of(first + value);
  const bytes = [first + limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A connection over which frames are written and read. */
export interface RawSession {
  readonly socket: TLSSocket;
  readonly frames: Frame[];
  /** Resolves when a frame that fits has come, or with undefined when the connection is closed. */
  next(fits: (frame: Frame) => boolean): Promise<Frame | undefined>;
  write(...frames: Uint8Array[]): void;
}

/** Opens a connection and exchanges settings. */
export async function openSession(port: number): Promise<RawSession> {
  const socket = await openRaw(port, "h2");
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3);
      const payload = rest.subarray(9, 9 + length);
      frames.push({
        type: rest.readUInt8(3),
        flags: rest.readUInt8(4),
        stream: rest.readUInt32BE(5),
        payload,
      });
      rest = rest.subarray(9 + length);
    }
    for (const look of waiting) look();
  });
  socket.on("close", () => {
    for (const look of waiting) look();
  });
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(frameTypes.settings, 0, 0));
  return {
    socket,
    frames,
    next: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = frames.find(fits);
          if (found === undefined && !socket.closed) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    write: (...given) => void (socket.writable && socket.write(Buffer.concat(given))),
  };
}
