import type { ServerResponse } from "node:http";
import { statusOf } from "../errors.ts";
import type { EgressRefusal } from "../errors.ts";
import { refusalHeader } from "../headers.ts";

/** Answers with why a request was not sent, or has no answer. Callers of egress tell it from a service's answers by its header. */
export function answerRefusal(response: ServerResponse, { code }: EgressRefusal): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ error: { code } });
  response.writeHead(statusOf(code), [
    "content-type",
    "application/json",
    "content-length",
    String(Buffer.byteLength(body)),
    refusalHeader,
    code,
  ]);
  response.end(body);
}
