import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { isLoopbackHost } from "../../../contract/index.ts";

/** What a running site answered. */
export interface SiteAnswer {
  readonly status: number;
  /** Without its parameters, lower case. */
  readonly type: string;
  /** As it was sent. */
  readonly contentType: string | undefined;
  /** Where it leads, if it is a redirect. */
  readonly location: string | undefined;
  readonly bytes: Buffer;
}

/** A site that runs somewhere, and is only read. */
export interface RunningSite {
  readonly origin: string;
  /**
   * Asks for an address, as a visitor without cookies does.
   *
   * @param target path and query
   */
  get(target: string): Promise<SiteAnswer>;
}

const timeoutMs = 10_000;
const maxBytes = 33_554_432;

/** Makes a site that answers at an origin readable. On loopback its certificate need not be one that anybody else would accept. */
export function openRunningSite(origin: string): RunningSite {
  const { protocol, hostname } = new URL(origin);
  const isOwn = isLoopbackHost(hostname);
  const request = protocol === "https:" ? requestHttps : requestHttp;
  return {
    origin,
    get: (target) =>
      new Promise((resolve, reject) => {
        const url = new URL(target, origin);
        if (url.origin !== origin) throw new Error(`${target} is not of this site`);
        const asked = request(
          url,
          {
            headers: { "user-agent": "curtainwall csp learn", accept: "*/*", "accept-encoding": "identity" },
            timeout: timeoutMs,
            ...(isOwn ? { rejectUnauthorized: false } : {}),
            ...(hostname.endsWith(".localhost") ? { lookup: toLoopback } : {}),
            // A connection that was kept may be closed by the time it is used again.
            agent: false,
          },
          (response) => readBody(response).then((bytes) => resolve(answerOf(response, bytes)), reject),
        );
        asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} seconds`)));
        asked.on("error", reject);
        asked.end();
      }),
  };
}

/** Browsers know where these names lead (RFC 6761 §6.3), few resolvers do. */
const toLoopback: LookupFunction = (_, { all }, done) =>
  all === true ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, bytes: Buffer): SiteAnswer {
  const contentType = headers["content-type"];
  return {
    status: statusCode,
    type: (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "",
    contentType,
    location: headers.location,
    bytes,
  };
}
