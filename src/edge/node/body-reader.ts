import type { Readable } from "node:stream";
import type { BodyProblem } from "../api.ts";
import type { EdgeContext } from "./context.ts";

const readerKey = Symbol("reader");
const nothing = new Uint8Array(0);

interface Read extends Readable {
  [readerKey]?: BodyReader;
}

/** Called once, with the body or with what went wrong. */
export type BodyDone = (problem: BodyProblem | undefined, bytes: Uint8Array) => void;

/** Options of {@link BodyReader}. */
export interface BodyReaderOptions {
  readonly remoteAddress: string;
  readonly maxBytes: number;
  /** What content-length says. */
  readonly declared: number | undefined;
  /** Undefined: nobody wants the body. */
  readonly done: BodyDone | undefined;
  /** Ends the connection, or the stream, when the client goes on sending what nobody wants. */
  readonly cut: () => void;
}

/** Reads one body. A body of one chunk, which nearly all are, is handed on as it came. */
export class BodyReader {
  readonly context: EdgeContext;
  readonly remoteAddress: string;
  readonly startedAt: number;
  /** Set when reading has ended otherwise than by the body's end. */
  problem: BodyProblem | undefined;
  readonly #maxBytes: number;
  /** What content-length says; it spares waiting for the stream's own end. */
  readonly #declared: number | undefined;
  readonly #cut: () => void;
  #done: BodyDone | undefined;
  /** Its neighbours among {@link BodyReaders}. */
  before: BodyReader | undefined;
  after: BodyReader | undefined;
  #first: Uint8Array | undefined;
  #rest: Uint8Array[] | undefined;
  #length = 0;

  constructor(context: EdgeContext, stream: Readable, options: BodyReaderOptions) {
    this.context = context;
    this.remoteAddress = options.remoteAddress;
    this.startedAt = context.now;
    this.#maxBytes = options.maxBytes;
    this.#declared = options.declared;
    this.#done = options.done;
    this.#cut = options.cut;
    (stream as Read)[readerKey] = this;
    stream.on("data", onData);
    if (options.done === undefined) return;
    context.readers.add(this);
    // Each listener costs; an error needs none, since the stream closes after it.
    stream.on("close", onGone);
    if (this.#declared === undefined) stream.on("end", onEnd);
    else if (this.#declared > this.#maxBytes) this.fail("too-large");
  }

  push(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#done === undefined) {
      if (this.#length > this.#maxBytes + this.context.limits.maxDiscardedBytes) this.#cut();
      return;
    }
    if (this.#length > this.#maxBytes) {
      this.fail("too-large");
      return;
    }
    if (this.#first === undefined) this.#first = chunk;
    else (this.#rest ??= []).push(chunk);
    if (this.#length === this.#declared) this.finish();
  }

  finish(): void {
    const done = this.#settle();
    if (done === undefined) return;
    const first = this.#first ?? nothing;
    done(undefined, this.#rest === undefined ? first : Buffer.concat([first, ...this.#rest], this.#length));
  }

  fail(problem: BodyProblem): void {
    const done = this.#settle();
    if (done === undefined) return;
    this.problem = problem;
    this.#first = undefined;
    this.#rest = undefined;
    done(problem, nothing);
  }

  #settle(): BodyDone | undefined {
    const done = this.#done;
    this.#done = undefined;
    this.context.readers.delete(this);
    return done;
  }
}

/** Bodies that are being read. A list of neighbours: a set would be built anew every few requests, as they come and go. */
export class BodyReaders {
  #first: BodyReader | undefined;

  add(reader: BodyReader): void {
    reader.after = this.#first;
    if (this.#first !== undefined) this.#first.before = reader;
    this.#first = reader;
  }

  /** Nothing happens to one that is not there. */
  delete(reader: BodyReader): void {
    const { before, after } = reader;
    if (before !== undefined) before.after = after;
    else if (this.#first === reader) this.#first = after;
    else return;
    if (after !== undefined) after.before = before;
    reader.before = undefined;
    reader.after = undefined;
  }

  /** All there are now, whatever becomes of them meanwhile. */
  list(): BodyReader[] {
    const all: BodyReader[] = [];
    for (let reader = this.#first; reader !== undefined; reader = reader.after) all.push(reader);
    return all;
  }
}

/** Throws a body away, up to a limit, so that the answer given without it reaches a client that is still sending. */
export function discardBody(context: EdgeContext, stream: Readable, cut: () => void): void {
  // oxlint-disable-next-line no-new -- the stream holds it
  new BodyReader(context, stream, {
    remoteAddress: "",
    maxBytes: 0,
    declared: undefined,
    done: undefined,
    cut,
  });
}

/** Gives up on the bodies that have taken too long. To be called every now and then. */
export function checkReaders({ readers, now, limits, onEvent }: EdgeContext): void {
  for (const reader of readers.list()) {
    if (now - reader.startedAt <= limits.bodyTimeoutMs) continue;
    onEvent({ kind: "client-too-slow", remoteAddress: reader.remoteAddress, detail: "bodyTimeoutMs" });
    reader.fail("timeout");
  }
}

/** What content-length says, if it is there. The parser has checked that it is a number. */
export function declaredLength(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  // Node would leave its own code to read a number of a text that is new.
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number(value);
    length = length * 10 + digit;
  }
  return length;
}

function onData(this: Read, chunk: Uint8Array): void {
  this[readerKey]?.push(chunk);
}

/** A stream of HTTP/2 ends too when it is cut; only one that is still open on our side has ended well. */
function onEnd(this: Read): void {
  const whole = "complete" in this ? this.complete === true : !this.closed && !this.destroyed;
  if (whole) this[readerKey]?.finish();
  else this[readerKey]?.fail("aborted");
}

function onGone(this: Read): void {
  this[readerKey]?.fail("aborted");
}
