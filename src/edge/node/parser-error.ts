import type { Duplex } from "node:stream";
import { reasonPhrases } from "../answer.ts";
import type { Refusals, RefusalStatus } from "../answer.ts";
import { errorCode } from "./door.ts";

/** The status for what node's HTTP/1.1 parser, or its clock, found wrong. */
export function parserErrorStatus(error: unknown): RefusalStatus {
  switch (errorCode(error)) {
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return 413;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    default:
      return 400;
  }
}

/** Writes a refusal, with all its headers, where there is no response object to write it, and ends the connection. */
export function endWithRefusal(socket: Duplex, refusals: Refusals, status: RefusalStatus): void {
  const { headers, body } = refusals[status];
  let head = `HTTP/1.1 ${status} ${reasonPhrases[status]}\r\n`;
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  head += `date: ${new Date().toUTCString()}\r\nconnection: close\r\n\r\n`;
  socket.end(head + new TextDecoder().decode(body), () => socket.destroy());
}
