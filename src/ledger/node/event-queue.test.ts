import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { parseSecurityEvent } from "../../contract/index.ts";
import type { SecurityEvent } from "../../contract/index.ts";
import { createLineSplitter, maxLineBytes } from "../lines.ts";
import { createEventQueue } from "./event-queue.ts";
import type { EventQueue, EventQueueOptions } from "./event-queue.ts";

const now = 1_800_000_000_000;
const skip = process.platform === "win32" ? "there are no FIFOs here" : false;

interface Pipe {
  queue: EventQueue;
  /** A second writer, as after a restart. */
  again(): EventQueue;
  /** Reads what lies in the pipe, as the ledger does. */
  read(): (SecurityEvent | undefined)[];
  readFd: number;
  writeFd: number;
}

/** A real FIFO, held open at both ends, as the supervisor does. */
function openPipe(t: TestContext, options: Partial<EventQueueOptions> = {}): Pipe {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-pipe-"));
  const path = join(folder, "events");
  execFileSync("mkfifo", [path]);
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  const make = (): EventQueue => {
    const queue = createEventQueue({
      fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK),
      source: "edge",
      now: () => now,
      ...options,
    });
    t.after(() => queue.close());
    return queue;
  };
  t.after(() => {
    closeSync(readFd);
    closeSync(writeFd);
    rmSync(folder, { recursive: true });
  });
  let lines: (SecurityEvent | undefined)[] = [];
  const splitter = createLineSplitter((line) => lines.push(line && parseLine(line)));
  const buffer = Buffer.alloc(65_536);
  return {
    queue: make(),
    again: make,
    readFd,
    writeFd,
    read() {
      lines = [];
      try {
        for (let count = readSync(readFd, buffer); count > 0; count = readSync(readFd, buffer))
          splitter.push(buffer.subarray(0, count));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
      }
      return lines;
    },
  };
}

function parseLine(line: Uint8Array): SecurityEvent | undefined {
  try {
    return parseSecurityEvent(JSON.parse(Buffer.from(line).toString()));
  } catch {
    return undefined;
  }
}

const refusal = (count: number): SecurityEvent => ({
  type: "gateway.request.refused",
  time: now,
  id: `r${count}`,
  code: "GATEWAY_LIMIT_REACHED",
  reason: "x".repeat(100),
});

const fieldsOf = (event: SecurityEvent | undefined): readonly string[] =>
  (event !== undefined && "fields" in event ? event.fields : undefined) ?? [];

/** Reads until the queue is empty. */
async function readAll({ queue, read }: Pipe): Promise<(SecurityEvent | undefined)[]> {
  const all = [...read()];
  while (queue.pendingBytes() > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    all.push(...read());
  }
  await queue.flush(1000);
  return [...all, ...read()];
}

suite("events on their way to the ledger", { skip }, () => {
  test("they arrive as they were sent, in order", async (t) => {
    const pipe = openPipe(t);
    const events = Array.from({ length: 50 }, (_, index) => refusal(index));
    for (const event of events) pipe.queue.send(event);
    assert.deepEqual(await readAll(pipe), events);
  });

  test("a ledger that is away for a while finds what was sent meanwhile", async (t) => {
    const pipe = openPipe(t);
    const events = Array.from({ length: 2000 }, (_, index) => refusal(index));
    for (const event of events) pipe.queue.send(event);
    await pipe.queue.flush(20);
    assert.ok(pipe.queue.pendingBytes() > 0);
    assert.deepEqual(await readAll(pipe), events);
  });

  test("a ledger that is stuck costs a bounded memory; what is lost is counted and said as soon as it reads again", async (t) => {
    const maxPendingBytes = 50_000;
    const pipe = openPipe(t, { maxPendingBytes });
    const sent = 20_000;
    for (let count = 0; count < sent; count++) {
      pipe.queue.send(refusal(count));
      assert.ok(pipe.queue.pendingBytes() <= maxPendingBytes + maxLineBytes);
    }
    // No further event is needed for the loss to be told.
    const all = await readAll(pipe);
    const lost = all.filter((event) => event?.type === "ledger.events.lost");
    assert.equal(lost.length, 1);
    const { count = 0, source } = lost[0] as { count?: number; source?: string };
    assert.equal(source, "edge");
    assert.ok(count > 0);
    const arrived = all.length - 1;
    assert.equal(arrived + count, sent);
    assert.deepEqual(
      all.slice(0, arrived),
      Array.from({ length: arrived }, (_, index) => refusal(index)),
    );
    pipe.queue.send(refusal(sent));
    assert.deepEqual(await readAll(pipe), [refusal(sent)]);
  });

  test("a line that a killed sender left unfinished does not swallow the next sender's first", async (t) => {
    const pipe = openPipe(t);
    await readAll(pipe);
    writeSync(pipe.writeFd, '{"type":"gateway.req');
    const queue = pipe.again();
    queue.send(refusal(1));
    await queue.flush(1000);
    assert.deepEqual(pipe.read(), [undefined, refusal(1)]);
  });

  test("an event of any size arrives, cut to what the ledger takes rather than lost", async (t) => {
    const text = fc.string({ unit: "binary", maxLength: 2000 });
    const long = fc.record({
      fields: fc.array(text, { maxLength: 40 }),
      id: text,
      route: text,
      subject: text,
      reason: text,
      client: text,
      code: text,
      method: text,
    });
    const pipe = openPipe(t);
    await readAll(pipe);
    await fc.assert(
      fc.asyncProperty(long, async (fields) => {
        pipe.queue.send({ type: "gateway.request.refused", time: now, ...fields });
        const [event, ...more] = await readAll(pipe);
        assert.equal(event?.type, "gateway.request.refused");
        assert.deepEqual(more, []);
        assert.equal(fieldsOf(event).length, Math.min(20, fields.fields.length));
      }),
      { numRuns: 50 },
    );
  });

  test("twenty long names of fields are kept, shortened", async (t) => {
    const pipe = openPipe(t);
    const fields = Array.from({ length: 20 }, (_, index) => `/${index}${"é".repeat(300)}`);
    pipe.queue.send({ type: "gateway.answer.trimmed", time: now, id: "r1", fields });
    const [event] = await readAll(pipe);
    const kept = fieldsOf(event);
    assert.deepEqual(
      kept.map((name, index) => name.startsWith(`/${index}é`)),
      fields.map(() => true),
    );
  });
});

suite("a pipe that is gone", { skip }, () => {
  test("sending neither throws nor waits, and flush comes back", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "curtainwall-pipe-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "events");
    execFileSync("mkfifo", [path]);
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const queue = createEventQueue({ fd: openSync(path, constants.O_WRONLY), source: "edge" });
    closeSync(readFd);
    for (let count = 0; count < 100; count++) queue.send(refusal(count));
    await queue.flush(1000);
    queue.send(refusal(0));
    await queue.flush(1000);
    queue.close();
    queue.send(refusal(0));
  });

  test("flush waits no longer than it was told", async (t) => {
    const pipe = openPipe(t);
    for (let count = 0; count < 2000; count++) pipe.queue.send(refusal(count));
    await pipe.queue.flush(5);
    assert.ok(pipe.queue.pendingBytes() > 0);
  });
});
