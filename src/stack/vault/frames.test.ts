import assert from "node:assert/strict";
import { once } from "node:events";
import { Server, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { openFrames } from "./frames.ts";
import type { Frame } from "./frames.ts";

/** Two ends of one connection. */
async function makePair(): Promise<{ near: Socket; far: Socket; close: () => void }> {
  const server = new Server().listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [far] = (await once(server, "connection")) as [Socket];
  return { near, far, close: () => (near.destroy(), far.destroy(), server.close()) };
}

interface Header {
  readonly n: number;
}

function collect(socket: Socket): {
  frames: Frame<Header>[];
  seen: (count: number) => Promise<void>;
  closed: Promise<void>;
} {
  const channel = openFrames<Header, Header>(socket);
  const frames: Frame<Header>[] = [];
  let wake: () => void = () => undefined;
  channel.onFrame((frame) => {
    frames.push(frame);
    wake();
  });
  return {
    frames,
    closed: new Promise((resolve) => channel.onClose(resolve)),
    async seen(count) {
      while (frames.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

test("Frames arrive whole and in order, however the bytes are cut; those that come before anybody listens wait", async () => {
  const { near, far, close } = await makePair();
  const sender = openFrames<Header, Header>(near);
  const large = Buffer.alloc(300_000, "v");
  const received = collect(far);
  await sender.send({ n: 1 }, Buffer.from("one"));
  await sender.send({ n: 2 });
  await sender.send({ n: 3 }, large);
  await received.seen(3);
  assert.deepEqual(
    received.frames.map(({ header, bytes }) => [header.n, bytes.length]),
    [
      [1, 3],
      [2, 0],
      [3, 300_000],
    ],
  );
  assert.ok(received.frames[2]?.bytes.equals(large));
  close();
});

test("One byte at a time is the same frame", async () => {
  const { near, far, close } = await makePair();
  near.setNoDelay(true);
  const received = collect(far);
  const header = Buffer.from('{"n":7}');
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32BE(header.length, 0);
  prefix.writeUInt32BE(2, 4);
  for (const byte of Buffer.concat([prefix, header, Buffer.from("ab")]))
    await new Promise<void>((resolve) => near.write(Buffer.of(byte), () => resolve()));
  await received.seen(1);
  assert.equal(received.frames[0]?.header.n, 7);
  assert.equal(received.frames[0]?.bytes.toString(), "ab");
  close();
});

test("Who announces too much, or sends what is no JSON object, is cut off at once", async () => {
  const announce = (headerBytes: number, bytes: number, text = ""): Buffer => {
    const frame = Buffer.alloc(8 + text.length);
    frame.writeUInt32BE(headerBytes, 0);
    frame.writeUInt32BE(bytes, 4);
    frame.write(text, 8);
    return frame;
  };
  for (const hostile of [
    announce(0xffff_ffff, 0),
    announce(2, 0xffff_ffff, "{}"),
    announce(2, 0, "[]"),
    announce(4, 0, "null"),
    announce(3, 0, "{,}"),
    announce(0, 0),
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
  ]) {
    const { near, far, close } = await makePair();
    const received = collect(far);
    near.on("error", () => undefined);
    near.write(hostile);
    await received.closed;
    assert.equal(received.frames.length, 0);
    close();
  }
});
