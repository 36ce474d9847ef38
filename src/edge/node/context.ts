import type { IncomingHttpHeaders } from "node:http";
import type { PlannedAnswer, Refusals } from "../answer.ts";
import type { ApiHandler } from "../api.ts";
import type { ClientRules } from "../clients/client-rules.ts";
import type { EdgeEvent } from "../event.ts";
import type { EdgeLimits } from "../limits.ts";
import type { Resolver } from "../resolve.ts";
import type { BodyReaders } from "./body-reader.ts";
import type { Client } from "./client.ts";
import type { HeadWriter } from "./head-writer.ts";
import { whoseRequest, whyUnknown } from "./whose-request.ts";

/** What the parts of one edge server share. */
export interface EdgeContext {
  readonly limits: EdgeLimits;
  /** Replaced with the release. */
  resolve: Resolver;
  readonly refusals: Refusals;
  readonly api: ApiHandler | undefined;
  readonly clients: ClientRules;
  readonly onEvent: (event: EdgeEvent) => void;
  /** HTTP/1.1. */
  readonly heads: HeadWriter;
  /** Bodies that are being read, to be given up on when they take too long. */
  readonly readers: BodyReaders;
  /** Milliseconds, as of the last check: reading a clock for each request would cost more than it tells. */
  now: number;
  /** API requests that wait for their answer. */
  pending: number;
  /** Set once: answers then say that the connection ends. */
  closing: boolean;
}

/** Reports an answer that refused a request. That a path, or a part of a file, does not exist is no refusal. */
export function reportRefusal(
  context: EdgeContext,
  { status }: PlannedAnswer,
  client: Client,
  headers: IncomingHttpHeaders,
): void {
  if (status < 400 || status === 404 || status === 416) return;
  const remoteAddress = whoseRequest(context, client, headers);
  context.onEvent(
    remoteAddress === undefined
      ? { kind: "client-unknown", remoteAddress: client.address, status, detail: whyUnknown(context) }
      : { kind: "request-refused", remoteAddress, status, detail: `answered ${status}` },
  );
}
