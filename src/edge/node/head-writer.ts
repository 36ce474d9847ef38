import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import { assertSendable, withContentLength } from "./api-answer.ts";

/** What a {@link HeadWriter} needs of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Name, value, name, value … How Node writes a frozen list is remembered. */
  readonly headers: readonly string[];
  /** The same, of this answer alone. */
  readonly ownHeaders?: readonly string[] | undefined;
}

interface KnownHead {
  readonly status: number;
  /** The status line and the headers, as Node wrote them, in one piece: it is copied for each answer. */
  readonly text: string;
  readonly hasLength: boolean;
  /** The last header that an answer had of its own, if it had one: most have the one that the answer before had. */
  lastName: string | undefined;
  lastValue: string | undefined;
  lastText: string;
}

/** Where Node keeps a head until it is sent: none of its public interface, so nothing is taken for granted about it. */
interface HeadHolder {
  _header?: unknown;
}

const maxKnown = 1024;
const nothing: readonly string[] = [];

/**
 * Writes heads of HTTP/1.1. Node checks and joins every header of every answer, which is a fifth of what an answer takes
 * outside the kernel. So the first answer with a frozen list of headers is written by Node and compared with what it should
 * be; from then on the text that Node made is put in its place, with the date and what the answer has of its own.
 *
 * If Node keeps its text elsewhere one day, or writes another one, nothing matches and every answer is written by Node. So
 * is what is out of the ordinary: an answer that ends its connection, one whose status has no body, one to a client that
 * waits for leave to send.
 */
export class HeadWriter {
  /** The oldest is forgotten first. */
  readonly #known = new Map<readonly string[], KnownHead>();
  /** What Node ends the head with when the connection stays open. */
  #end: string | undefined;
  /** The date and that end, in one piece, for as long as the date lasts. */
  #dated = { date: "", text: "" };

  /**
   * @param length of the body; undefined when the headers tell it
   * @throws {TypeError} for a header that can't be sent
   */
  write(response: ServerResponse, head: AnswerHead, length?: number): void {
    const { status, headers, ownHeaders = nothing } = head;
    const known = this.#known.get(headers);
    const own = known === undefined ? undefined : ownText(known, status, ownHeaders);
    if (known === undefined || own === undefined || known.status !== status || !isOrdinary(response)) {
      const all = ownHeaders.length === 0 ? headers : [...headers, ...ownHeaders];
      const complete = length === undefined ? all : withContentLength(status, all, length);
      response.writeHead(status, complete as string[]);
      if (known === undefined && Object.isFrozen(headers)) this.#learn(response, head, complete);
      return;
    }
    let text = known.text + own;
    if (length !== undefined && !known.hasLength) text += `content-length: ${length}\r\n`;
    response.statusCode = status;
    (response as HeadHolder)._header = text + this.#dateAndEnd();
  }

  #dateAndEnd(): string {
    const date = dateLine();
    if (this.#dated.date !== date) this.#dated = { date, text: inOnePiece(date + (this.#end as string)) };
    return this.#dated.text;
  }

  #learn(response: ServerResponse, { status, headers }: AnswerHead, complete: readonly string[]): void {
    const written: unknown = Object.hasOwn(response, "_header")
      ? (response as HeadHolder)._header
      : undefined;
    const start = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    const whole = start + join(complete);
    if (hasNoBody(status) || typeof written !== "string" || !written.startsWith(whole)) return;
    const end = ending.exec(written.slice(whole.length))?.[1];
    if (end === undefined || (this.#end ?? end) !== end) return;
    this.#end = end;
    const oldest = this.#known.keys().next().value;
    if (this.#known.size >= maxKnown && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(headers, {
      status,
      text: inOnePiece(start + join(headers)),
      hasLength: tellsLength(headers),
      lastName: undefined,
      lastValue: undefined,
      lastText: "",
    });
  }
}

/** What follows the headers of an answer that leaves its connection open: nothing else, in this order. */
const ending = /^Date: [^\r\n]{29}\r\n(Connection: keep-alive\r\nKeep-Alive: timeout=[0-9]+\r\n\r\n)$/;

const hasNoBody = (status: number): boolean => status === 204 || status === 304;

/** Nothing was sent or set yet, the connection stays open, and no body was held back. */
function isOrdinary(response: ServerResponse): boolean {
  return (
    (response as HeadHolder)._header === null &&
    response.shouldKeepAlive &&
    response.req.headers.expect === undefined
  );
}

/** A text that was put together is a tree, which is gone through again each time that it is written. */
const inOnePiece = (text: string): string => Buffer.from(text, "latin1").toString("latin1");

/**
 * An answer's own headers as they are written; undefined if Node has to.
 *
 * @throws {TypeError} for one that can't be sent
 */
function ownText(known: KnownHead, status: number, headers: readonly string[]): string | undefined {
  if (headers.length === 0) return "";
  const [name, value] = headers;
  if (headers.length === 2 && name === known.lastName && value === known.lastValue) return known.lastText;
  if (!areOrdinary(headers)) return undefined;
  assertSendable(status, headers);
  const text = inOnePiece(join(headers));
  if (headers.length === 2) {
    known.lastName = name;
    known.lastValue = value;
    known.lastText = text;
  }
  return text;
}

const plainName = /^[a-z-]+$/;
/** Headers that Node does more about than to write them. */
const meaningful = new Set([
  "connection",
  "content-disposition",
  "content-length",
  "cookie",
  "date",
  "expect",
  "keep-alive",
  "trailer",
  "transfer-encoding",
]);

function areOrdinary(headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!plainName.test(name) || meaningful.has(name)) return false;
  }
  return headers.length % 2 === 0;
}

function tellsLength(headers: readonly string[]): boolean {
  return headers.some((name, at) => at % 2 === 0 && name === "content-length");
}

function join(headers: readonly string[]): string {
  let text = "";
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return text;
}

let date = "";

/** Put together once a second; asking for the time takes more than all else that is done for a head. */
function dateLine(): string {
  if (date === "") {
    const now = Date.now();
    date = `Date: ${new Date(now).toUTCString()}\r\n`;
    setTimeout(() => (date = ""), 1000 - (now % 1000)).unref();
  }
  return date;
}
