import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestSecure } from "node:https";
import { rootCertificates } from "node:tls";
import { siteError } from "../../errors.ts";
import { createLookup, isAllowedAddress, literalAddress, refusedCode } from "./addresses.ts";

/** Where something may be connected to, and until when. */
export interface ConnectOptions {
  /** Whether the contract says why private addresses are meant. */
  readonly allowPrivate: boolean;
  /** A PEM with the authority that must have signed. Default: the system's. */
  readonly caFile: string | undefined;
  /** Whether the well-known authorities count beside {@link ConnectOptions.caFile}. */
  readonly anyAuthority: boolean;
  readonly signal: AbortSignal;
}

/** What is sent. */
export interface SentRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, by `POST`; undefined: `GET`. */
  readonly body: string | undefined;
}

/**
 * Sends a request over a fresh connection: no other request's, and no proxy of the environment. The address that is checked is the one that is
 * connected to.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_REFUSED`, `SITE_SOURCE_FAILED`
 */
export async function connect(sent: SentRequest, options: ConnectOptions): Promise<IncomingMessage> {
  const { url } = sent;
  const { allowPrivate, signal } = options;
  const literal = literalAddress(url);
  if (literal !== undefined && !isAllowedAddress(literal, { url, allowPrivate })) throw privateAddress(url);
  try {
    return await open(sent, options);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === refusedCode) throw privateAddress(url);
    throw unreachable(url, cause, signal);
  }
}

function open(
  { url, headers, body }: SentRequest,
  { allowPrivate, caFile, anyAuthority, signal }: ConnectOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const common = {
      agent: false,
      method: body === undefined ? "GET" : "POST",
      lookup: createLookup({ url, allowPrivate }),
      signal,
      headers: {
        // What is compressed could be larger than it looks.
        "accept-encoding": "identity",
        "user-agent": "curtainwall",
        ...headers,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    } as const;
    const own = caFile === undefined ? [] : [readFileSync(caFile)];
    const ca = own.length > 0 && anyAuthority ? [...rootCertificates, ...own] : own;
    const secure = { ...common, rejectUnauthorized: true, ...(ca.length === 0 ? {} : { ca }) };
    const request = url.protocol === "https:" ? requestSecure(url, secure) : requestPlain(url, common);
    request.once("response", resolve).once("error", reject).end(body);
  });
}

/** Reads a body up to a bound. */
export async function readUpTo(
  response: IncomingMessage,
  maxBytes: number,
  url: URL,
  signal: AbortSignal,
  hint: string,
): Promise<Uint8Array> {
  const { "content-encoding": encoding = "identity" } = response.headers;
  try {
    if (encoding !== "identity")
      throw refused(url, "what it answered is compressed, and it was asked not to.");
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > maxBytes) throw refused(url, `what it answered is larger than ${maxBytes} bytes.`, hint);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (cause) {
    response.destroy();
    throw unreachable(url, cause, signal);
  }
}

/** What may be over in a moment. */
const passing: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
]);
const passed = new WeakSet<Error>();

/** Whether a failure is one that asking again may cure. */
export const mayPass = (reason: unknown): boolean => reason instanceof Error && passed.has(reason);

/** What says that nobody known signed a certificate. */
const strangers =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?))$/;

/** Ours are passed on. Of others only their code is told: messages may hold anything. */
function unreachable(url: URL, cause: unknown, signal: AbortSignal): Error {
  const { code } = cause as { code?: unknown };
  if (typeof code === "string" && code.startsWith("SITE_")) return cause as Error;
  if (signal.aborted) return tooSlow(url);
  const isStranger = typeof code === "string" && strangers.test(code);
  const error = failed(
    url,
    `it can't be read: ${typeof code === "string" ? code : "the connection broke"}.`,
    isStranger ? "If its certificate is from an authority of your own, name that:  caFile" : undefined,
  );
  if (passing.has(code)) passed.add(error);
  return error;
}

/** Where something was read, without its query's values: a service may have been given an address that holds more than names. */
export const nameOf = (url: URL): string => (url.origin + url.pathname).slice(0, 300);

const tooSlow = (url: URL): Error =>
  failed(url, "it did not answer in time.", "Raise the source's  timeoutMs");

export function failed(url: URL, message: string, hint?: string): Error {
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
