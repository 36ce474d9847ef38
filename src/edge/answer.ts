import { inertPolicy, securityHeaders } from "../contract/index.ts";
import type { Header } from "../contract/index.ts";

/** An answer that was put together at start: nothing is left to do but to send it. */
export interface PlannedAnswer {
  readonly ready: true;
  readonly status: number;
  /** For HTTP/1.1: name, value, name, value … Frozen when the answer is sent again and again. */
  readonly headers: readonly string[];
  /** For HTTP/2: with `:status`. */
  readonly fields: Readonly<Record<string, string | number>>;
  /** Undefined: the answer has no body, whatever the method. */
  readonly body: Uint8Array | undefined;
  /** Of a file's own bytes: what an answer with a part of them is made of. */
  readonly divisible: Divisible | undefined;
}

/** What answers with a part of a file say. */
export interface Divisible {
  readonly tag: string;
  /** All headers but those about the part. */
  readonly headers: readonly Header[];
}

/** Puts an answer together that is sent again and again. With a body it gets its content-length. */
export function planLasting(...args: Parameters<typeof planAnswer>): PlannedAnswer {
  const answer = planAnswer(...args);
  Object.freeze(answer.headers);
  return answer;
}

/** Puts an answer together. With a body it gets its content-length. */
export function planAnswer(
  status: number,
  headers: readonly Header[],
  body: Uint8Array | undefined,
  divisible?: Divisible,
): PlannedAnswer {
  const lines: string[] = [];
  const fields: Record<string, string | number> = { ":status": status };
  for (const [name, value] of headers) {
    lines.push(name, value);
    fields[name] = value;
  }
  if (body !== undefined) {
    const length = String(body.length);
    lines.push("content-length", length);
    fields["content-length"] = length;
  }
  return { ready: true, status, headers: lines, fields, body, divisible };
}

/** The statuses that the edge refuses a request with. */
export type RefusalStatus = 400 | 404 | 405 | 408 | 413 | 414 | 417 | 421 | 431 | 500 | 503;

/** The reason phrases of RFC 9110 and RFC 6585. */
export const reasonPhrases: Readonly<Record<RefusalStatus, string>> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

const extraHeaders: Partial<Record<RefusalStatus, readonly Header[]>> = {
  405: [["allow", "GET, HEAD"]],
  503: [["retry-after", "1"]],
};

/** The edge's own error answer: a line of text that says no more than its status. */
function planRefusal(
  status: RefusalStatus,
  security: readonly Header[],
  toBody: (bytes: Uint8Array) => Uint8Array,
): PlannedAnswer {
  const text = `${status} ${reasonPhrases[status]}\n`;
  return planLasting(
    status,
    [...refusalHeaders(security), ...(extraHeaders[status] ?? [])],
    toBody(new TextEncoder().encode(text)),
  );
}

function refusalHeaders(security: readonly Header[]): Header[] {
  return [["content-type", "text/plain; charset=utf-8"], ["cache-control", "no-store"], ...security];
}

/** All refusals by status. */
export type Refusals = Readonly<Record<RefusalStatus, PlannedAnswer>>;

/** Puts all refusals together. */
export function planRefusals(
  toBody: (bytes: Uint8Array) => Uint8Array,
  security: readonly Header[] = securityHeaders(inertPolicy),
): Refusals {
  const entries = Object.keys(reasonPhrases).map((key) => {
    const status = Number(key) as RefusalStatus;
    return [status, planRefusal(status, security, toBody)] as const;
  });
  return Object.fromEntries(entries) as Refusals;
}
