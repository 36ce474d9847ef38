import { createHash } from "node:crypto";
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Header } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { ReleaseErrorCode } from "../errors.ts";
import type { AskHost, HostAnswer } from "../verify/verify-host.ts";

/** Options of {@link createHostClient}. */
export interface HostClientOptions {
  /** Where the host is: scheme, name and port. */
  origin: string;
  /** Connections at once. Default 8. */
  connections?: number;
  /** PEM of the authority that signed its certificate, besides the system's. */
  ca?: string | undefined;
  /** How long it may be silent, in milliseconds. Default 30 000. */
  timeoutMs?: number;
}

/** A client of one host. */
export interface HostClient {
  readonly ask: AskHost;
  close(): void;
}

/** A policy of a few hundred hashes is some 20 kB; Node's own limit is 16. */
const maxHeaderSize = 1_048_576;
/** A host that sends hint after hint never answers. */
const maxHints = 20;
/** Incompressible bytes grow a little when they are compressed. */
const compressedSlack = 65_536;

/**
 * Creates a client that asks one host, and no other: it follows nothing, and reads no more than it was told to expect, neither before
 * nor after decompression.
 *
 * @throws {CurtainwallError} `RELEASE_HOST_INVALID` when the origin is none
 */
export function createHostClient({
  origin,
  connections = 8,
  ca,
  timeoutMs = 30_000,
}: HostClientOptions): HostClient {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CurtainwallError<ReleaseErrorCode>(
      "RELEASE_HOST_INVALID",
      `${origin.slice(0, 80)} is no host's address.`,
      {
        hint: "Write it like  https://www.example.com",
      },
    );
  }
  const isHttps = url.protocol === "https:";
  const shared = { keepAlive: true, maxSockets: connections };
  const agent = isHttps
    ? new HttpsAgent({ ...shared, ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent(shared);
  const where = {
    agent,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (isHttps ? 443 : 80) : Number(url.port),
    maxHeaderSize,
  };

  const ask: AskHost = (path, acceptEncoding, maxBytes) =>
    new Promise((resolve, reject) => {
      const headers = {
        "accept-encoding": acceptEncoding,
        accept: "*/*",
        "user-agent": "Mozilla/5.0 (compatible; curtainwall verify)",
      };
      const outgoing = (isHttps ? requestHttps : requestHttp)({ ...where, path, headers });
      outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`silent for ${timeoutMs} ms`)));
      outgoing.on("error", reject);
      const hints: Header[] = [];
      let count = 0;
      outgoing.on("information", ({ statusCode, rawHeaders }) => {
        if (++count > maxHints) outgoing.destroy(new Error(`more than ${maxHints} hints before the answer`));
        else if (statusCode === 103) hints.push(...pairsOf(rawHeaders));
      });
      outgoing.on("response", (response) => void readAnswer(response, maxBytes, hints).then(resolve, reject));
      outgoing.end();
    });
  return { ask, close: () => agent.destroy() };
}

async function readAnswer(
  response: IncomingMessage,
  maxBytes: number,
  hints: readonly Header[],
): Promise<HostAnswer> {
  const headers = pairsOf(response.rawHeaders);
  const body = await readBody(
    response,
    headers.find(([name]) => name === "content-encoding")?.[1] ?? "",
    maxBytes,
  );
  return {
    status: response.statusCode ?? 0,
    headers,
    hints,
    trailers: pairsOf(response.rawTrailers),
    ...body,
  };
}

function pairsOf(rawHeaders: readonly string[]): Header[] {
  const headers: Header[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.push([(rawHeaders[at] ?? "").toLowerCase(), rawHeaders[at + 1] ?? ""]);
  return headers;
}

type Body = Pick<HostAnswer, "sha256" | "problem">;

/** Reads and decompresses a body, bounded on both sides, without keeping it. */
function readBody(response: IncomingMessage, coding: string, maxBytes: number): Promise<Body> {
  const hash = createHash("sha256");
  const steps = decoders(coding);
  return new Promise((resolve) => {
    let arrived = 0;
    let read = 0;
    const finish = (problem: string | undefined): void => {
      resolve({ sha256: hash.digest("hex"), problem });
      // What was not read to its end can't be followed by another answer.
      if (problem !== undefined) response.destroy();
    };
    let isDone = false;
    const once = (problem: string | undefined): void => {
      if (isDone) return;
      isDone = true;
      finish(problem);
    };
    if (steps === undefined) return once(`its content coding ${coding.slice(0, 40)} is not known`);
    response.on("data", (chunk: Buffer) => {
      arrived += chunk.length;
      if (arrived > maxBytes + compressedSlack) once(`it goes on after ${arrived} bytes`);
    });
    let stream: IncomingMessage | Transform = response;
    for (const step of steps) stream = stream.on("error", (error) => once(error.message)).pipe(step);
    stream.on("data", (chunk: Buffer) => {
      if (isDone) return;
      read += chunk.length;
      hash.update(chunk);
      if (read > maxBytes) once(`it is longer than the ${maxBytes} bytes that were released`);
    });
    stream.on("error", (error) => once(error.message));
    stream.on("end", () => once(undefined));
    response.on("aborted", () => once("it was cut off"));
  });
}

/** What undoes a list of codings, last one first. Undefined if one is not known. */
function decoders(coding: string): Transform[] | undefined {
  const names = coding
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  // Nobody compresses twice, let alone more often.
  if (names.length > 2) return undefined;
  const steps = names.toReversed().map((name) => codings.get(name)?.());
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

const codings: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ["br", createBrotliDecompress],
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["zstd", createZstdDecompress],
]);
