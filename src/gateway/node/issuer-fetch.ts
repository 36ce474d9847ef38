import type { LookupFunction } from "node:net";
import { isIPv6 } from "node:net";
import { Agent, request } from "undici";
import { networkOf, networkOfHost } from "../../contract/index.ts";
import type { ServiceNetwork } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { createAddressBook } from "../../shared/node.ts";
import type { AddressBook, Lookup } from "../../shared/node.ts";

/** Options of {@link createIssuerFetch}. */
export interface IssuerFetchOptions {
  /** Where the addresses of its names must lie. Default: as each name says, `public` for most. */
  network?: ServiceNetwork | undefined;
  /** PEM of the authority that signed the issuer's certificate. Default: the system's. */
  ca?: string | undefined;
  /** Finds a name's addresses. Default: as the system does. */
  lookup?: Lookup | undefined;
  /** How long one answer may take, its look-up included, in milliseconds. */
  timeoutMs: number;
  now: () => number;
  /** Told of addresses that lie elsewhere; they are not connected to. */
  onRefused: (host: string, addresses: readonly string[]) => void;
}

/** Reads JSON objects from an issuer. */
export interface IssuerFetch {
  /** Follows no redirect. @throws {CurtainwallError} `GATEWAY_KEYS_REFUSED` for an answer that can't be used, and for a name that leads elsewhere */
  readJson(url: string): Promise<object>;
  close(): Promise<void>;
}

const maxDocumentBytes = 262_144;

/** Opens connections to an issuer, to addresses that were looked up and checked once: what a name means is not asked again by whoever connects. */
export function createIssuerFetch(options: IssuerFetchOptions): IssuerFetch {
  const { ca, lookup, timeoutMs, now, onRefused } = options;
  /** By host: the issuer's, and that of a declared `jwksUrl`. */
  const books = new Map<string, AddressBook>();
  const agent = new Agent({
    connections: 2,
    maxHeaderSize: 16_384,
    maxResponseSize: maxDocumentBytes,
    connect: {
      minVersion: "TLSv1.3",
      timeout: timeoutMs,
      lookup: (host, asked, done) => answerFrom(bookOf(host).addresses(), asked, done),
      ...(ca === undefined ? {} : { ca }),
    },
  });

  function bookOf(host: string): AddressBook {
    const known = books.get(host);
    if (known !== undefined) return known;
    const network = options.network ?? networkOfHost(host) ?? "public";
    const book = createAddressBook({
      host,
      mayUse: (address) => networkOf(address) === network,
      lookup,
      now,
      onRefused: (addresses) => onRefused(host, addresses),
    });
    books.set(host, book);
    return book;
  }

  return {
    async readJson(url) {
      const signal = AbortSignal.timeout(timeoutMs);
      const book = bookOf(new URL(url).hostname);
      if (book.addresses().length === 0) await inTime(book.load(), signal);
      if (book.addresses().length === 0) throw refused("its name leads nowhere that it may be");
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal,
        headers: { accept: "application/json" },
      });
      return parseObject(statusCode, await body.text());
    },
    close: () => agent.destroy(),
  };
}

function parseObject(statusCode: number, text: string): object {
  if (statusCode !== 200) throw refused(`it answered ${statusCode}`);
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw refused("its answer is not an object");
  return value;
}

const answerFrom = (
  addresses: readonly string[],
  { all }: Parameters<LookupFunction>[1],
  done: Parameters<LookupFunction>[2],
): void => {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const [first] = found;
  if (first === undefined) done(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), "");
  else if (all === true) done(null, found);
  else done(null, first.address, first.family);
};

/** A look-up can't be ended, and is not waited for longer. */
function inTime<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

/** What an issuer answered can't be used; says why, in words that hold nothing of it. */
export const refused = (message: string): CurtainwallError =>
  new CurtainwallError("GATEWAY_KEYS_REFUSED", message);
