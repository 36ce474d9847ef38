import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestSecure } from "node:https";
import type { ContractSource } from "../../../contract/index.ts";
import { siteError } from "../../errors.ts";
import { createLookup, isAllowedAddress, literalAddress, refusedCode } from "./addresses.ts";

/** What a source answered. */
export interface SourceResponse {
  readonly status: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** The address of what comes after it, if it says so (RFC 8288). */
  readonly next: URL | undefined;
  /** Empty unless the status is 200. */
  readonly body: Uint8Array;
}

/** What {@link getFromSource} sends, and within which bounds. */
export interface GetOptions {
  readonly source: ContractSource;
  /** The PEM of {@link ContractSource.caFile}, as a path. */
  readonly caFile: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Redirects within an origin that are followed. */
const maxRedirects = 5;

/**
 * Asks a source, once, and reads what it answers up to a bound. Follows redirects within its origin, since its token goes along.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_REFUSED`, `SITE_SOURCE_FAILED`; what it says holds nothing of the answer but its status
 */
export async function getFromSource(start: URL, options: GetOptions): Promise<SourceResponse> {
  let url = start;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await send(url, options);
    const { statusCode: status = 0, headers } = response;
    if (status === 200)
      return { ...factsOf(response, url), status, body: await readBody(response, url, options) };
    response.destroy();
    if (status === 304) return { ...factsOf(response, url), status, body: new Uint8Array() };
    const target = [301, 302, 303, 307, 308].includes(status) ? URL.parse(headers.location ?? "", url) : null;
    if (target === null) throw failed(url, `it answered with the status ${status}.`);
    if (target.origin !== start.origin)
      throw refused(url, "it leads to another origin, and redirects are followed within one only.");
    url = target;
  }
  throw refused(url, `it leads on more than ${maxRedirects} times.`);
}

async function send(url: URL, options: GetOptions): Promise<IncomingMessage> {
  const { source, signal } = options;
  const literal = literalAddress(url);
  if (literal !== undefined && !isAllowedAddress(literal, source)) throw privateAddress(url);
  try {
    return await connect(url, options);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === refusedCode) throw privateAddress(url);
    throw unreachable(url, cause, signal);
  }
}

function connect(url: URL, { source, caFile, headers, signal }: GetOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const common = {
      // A fresh connection: no other request's, and no proxy of the environment.
      agent: false,
      lookup: createLookup(source),
      signal,
      headers: {
        accept: "application/json",
        // What is compressed could be larger than it looks.
        "accept-encoding": "identity",
        "user-agent": "curtainwall",
        ...headers,
      },
    } as const;
    const secure = {
      ...common,
      rejectUnauthorized: true,
      ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    };
    const request = url.protocol === "https:" ? requestSecure(url, secure) : requestPlain(url, common);
    request.once("response", resolve).once("error", reject).end();
  });
}

async function readBody(
  response: IncomingMessage,
  url: URL,
  { maxBytes, signal }: GetOptions,
): Promise<Uint8Array> {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = response.headers;
  try {
    if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
      throw refused(url, "what it answered is not application/json.");
    if (encoding !== "identity")
      throw refused(url, "what it answered is compressed, and it was asked not to.");
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > maxBytes)
        throw refused(
          url,
          `what it answered is larger than ${maxBytes} bytes.`,
          "Raise the source's  maxBytes",
        );
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (cause) {
    response.destroy();
    throw unreachable(url, cause, signal);
  }
}

function factsOf({ headers }: IncomingMessage, url: URL): Omit<SourceResponse, "status" | "body"> {
  return {
    etag: headers.etag,
    lastModified: headers["last-modified"],
    next: nextOf(headers.link, url),
  };
}

/** @see RFC 8288 §3 */
function nextOf(header: string | string[] | undefined, url: URL): URL | undefined {
  for (const link of String(header ?? "")
    .slice(0, 8192)
    .split(/,(?=\s*<)/)) {
    const [, address, parameters = ""] = /^\s*<([^<>]*)>(.*)$/.exec(link) ?? [];
    if (
      address !== undefined &&
      /;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)/i.test(parameters)
    )
      return URL.parse(address, url) ?? undefined;
  }
  return undefined;
}

/** Ours are passed on. Of others only their code is told: messages may hold anything. */
function unreachable(url: URL, cause: unknown, signal: AbortSignal): Error {
  const { code } = cause as { code?: unknown };
  if (typeof code === "string" && code.startsWith("SITE_")) return cause as Error;
  if (signal.aborted) return failed(url, "it did not answer in time.", "Raise the source's  timeoutMs");
  return failed(url, `it can't be read: ${typeof code === "string" ? code : "the connection broke"}.`);
}

/** Where something was read, without its query's values: a service may have been given an address that holds more than names. */
export const nameOf = (url: URL): string => url.origin + url.pathname;

function failed(url: URL, message: string, hint?: string): Error {
  return siteError("SITE_SOURCE_FAILED", message, {
    place: { file: nameOf(url) },
    ...(hint === undefined ? {} : { hint }),
  });
}

export function refused(url: URL, message: string, hint?: string): Error {
  return siteError("SITE_SOURCE_REFUSED", message, {
    place: { file: nameOf(url) },
    ...(hint === undefined ? {} : { hint }),
  });
}

function privateAddress(url: URL): Error {
  return refused(
    url,
    "its address is a private one, or one at which clouds keep credentials.",
    'If that is meant, the contract says why:  insecurePrivateAddresses: "the catalogue is on our own network". Link-local ones stay refused',
  );
}
