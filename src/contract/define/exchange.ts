import type { Fields, None, Schema } from "./schema.ts";

/** What a route takes and answers besides its query, body and response. */
export interface ExchangeOptions {
  /**
   * Request headers that it takes, lower-case, each with a schema of its text: `{ "x-version": z.enum(["1", "2"]) }`. Only these reach the
   * upstream. Default: none.
   */
  headers?: Fields;
  /** Cookies that it takes, by name. Only these reach the upstream. Default: none. */
  cookies?: Fields;
  /**
   * Headers of the upstream's answer that may leave, lower-case, each with a schema of its text. `location` may only lead to this site, unless its
   * schema lists the addresses. Default: none.
   */
  responseHeaders?: Fields;
  /** Gives GET's answers an ETag made of what leaves, and answers 304 to who has it. Default false. */
  etag?: boolean;
  /** Statuses from 400 to 499 that the upstream may refuse with, each with the JSON that leaves then. Default: none, it is 422 or 404. */
  errors?: Readonly<Record<number, Schema>>;
  /** How much a JSON body may hold. */
  jsonLimits?: JsonLimitOptions;
  /**
   * Declares fields of the answer whose names say that they must not leave, like `passwordHash`; says why they may.
   */
  insecureSensitiveFields?: string;
}

/** Bounds of a JSON body besides its bytes, held to while it is read, before its schema sees it. */
export interface JsonLimitOptions {
  /** Arrays and objects inside one another, 1 to 128. Default 32. */
  depth?: number;
  /** Members of all objects together, 1 to 1 000 000. Default 10 000. */
  members?: number;
  /** Elements of all arrays together, 1 to 10 000 000. Default 10 000. */
  elements?: number;
  /** Length of one text as it is written, 1 to 67 108 864. Default 65 536. */
  textLength?: number;
}

/** A body of `application/x-www-form-urlencoded`, made by {@link form}. */
export interface Form<Named extends Fields = Fields> {
  readonly kind: "form";
  readonly fields: Named;
}

/** Says that a route's body is a URL-encoded form, as browsers send it; a field with an array schema may stand several times. */
export function form<Named extends Fields>(fields: Named): Form<Named> {
  return Object.freeze({ kind: "form" as const, fields });
}

/** Bounds of {@link eventStream}. */
export interface EventStreamOptions {
  /** Bytes of one event as the upstream writes it, 64 to 1 048 576. Default 65 536. */
  maxEventBytes?: number;
  /** Time after which the stream ends, so that who listens comes back and is checked anew, in seconds, 1 to 86 400. Default 900. */
  maxSeconds?: number;
  /** A line is sent when nothing else was for so long, in seconds, 1 to 300. Default 15. */
  heartbeatSeconds?: number;
}

/** Server-sent events, made by {@link eventStream}. */
export interface EventStream extends EventStreamOptions {
  readonly kind: "events";
  readonly events: Readonly<Record<string, Schema>>;
}

/**
 * Says that a route answers with server-sent events: each one's data is JSON, held to the schema of its name. `message` is the name of events
 * that have none.
 */
export function eventStream(
  events: Readonly<Record<string, Schema>>,
  options: EventStreamOptions = {},
): EventStream {
  return Object.freeze({ ...options, kind: "events" as const, events });
}

/** Options of {@link download}. */
export interface DownloadOptions {
  /** Media types that it may have, without parameters: `["application/pdf"]`. */
  types: readonly string[];
  /** The largest file, in bytes, 1 to 1 099 511 627 776. */
  maxBytes: number;
  /** The name that it is offered under: `invoice.pdf`. Default: none, so that it is called as the address ends. */
  fileName?: string;
}

/** A file, made by {@link download}. */
export interface Download extends DownloadOptions {
  readonly kind: "download";
}

/** Says that a route answers with a file to be saved: never shown, whatever its type. */
export function download(options: DownloadOptions): Download {
  return Object.freeze({ ...options, kind: "download" as const });
}

/** What a route may say that it answers with. */
export type ResponseOption = Schema | None | EventStream | Download;

/** What a route may say that its body is. */
export type BodyOption = Schema | None | Form;
