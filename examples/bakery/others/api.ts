import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { Server } from "node:https";

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A request to one of the others, read whole. */
export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status and what is sent as JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const maxBodyBytes = 65_536;

/** Makes a JSON API over HTTPS (TLS 1.3), as somebody else's service would have one. */
export function createApi(
  certificate: Certificate,
  answer: (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer,
): Server {
  const options = {
    ...certificate,
    minVersion: "TLSv1.3",
    headersTimeout: 5000,
    requestTimeout: 10_000,
  } as const;
  const server = createServer(options, (request, response) => {
    read(request)
      .then(answer)
      .catch((): ApiAnswer => ({ status: 500, body: { error: "That did not work." } }))
      .then(({ status, body }) => {
        const text = JSON.stringify(body);
        response.writeHead(status, {
          "content-type": "application/json; charset=utf-8",
          "content-length": Buffer.byteLength(text),
        });
        response.end(text);
      })
      .catch(() => response.destroy());
  });
  server.maxConnections = 64;
  return server;
}

async function read(request: IncomingMessage): Promise<ApiRequest> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBodyBytes) chunks.push(chunk);
  }
  if (length > maxBodyBytes) throw new Error("That is too much.");
  return {
    method: request.method ?? "GET",
    url: new URL(request.url ?? "/", "https://here.invalid"),
    headers: request.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** Whether a header says exactly this. */
export function says(header: string | string[] | undefined, wanted: string): boolean {
  if (typeof header !== "string") return false;
  return timingSafeEqual(hash("sha256", header, "buffer"), hash("sha256", wanted, "buffer"));
}

export const refusedKey: ApiAnswer = { status: 401, body: { error: "No such key." } };
export const nothingHere: ApiAnswer = { status: 404, body: { error: "There is no such thing here." } };
