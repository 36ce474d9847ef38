import type { ContractProxies } from "../../contract/index.ts";
import { formatAddress, isWithin, parseAddress } from "../../shared/index.ts";
import { forwardedFor } from "./forwarded.ts";

/** What is known of a request's way here. */
export interface RequestWay {
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** Whether it is a declared proxy's: {@link isProxy}. */
  readonly fromProxy: boolean;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
}

/** Tells whose request it is: an address; undefined where the declared proxies don't say, so that nobody can be charged. */
export type FindClient = (way: RequestWay) => string | undefined;

/** More stations than any honest request passes. */
const maxStations = 32;

/** An address, or one with a port as some balancers write it: `192.0.2.1:443`, `[2001:db8::1]:443`. */
const withPort = /^(?:(?<v4>[\d.]+)|\[(?<v6>[\da-f:.]+)\])(?::\d{1,5})?$/i;

/**
 * Compiles who a request is charged to. What a client writes into the header itself stands to the left of what the first
 * declared proxy wrote, and is never reached: the list is read from its right end, past the declared proxies only.
 *
 * @see RFC 7239 §5.2, §8.1
 */
export function compileFindClient(proxies: ContractProxies | undefined): FindClient {
  if (proxies === undefined || proxies.clientFrom === "proxy-protocol") return ({ peer }) => peer;
  const { trusted, clientFrom } = proxies;
  const stationsOf =
    clientFrom === "forwarded"
      ? forwardedFor
      : (text: string): readonly string[] => text.split(",", maxStations + 1).map((part) => part.trim());
  return ({ peer, fromProxy, header }) => {
    // Who comes past the proxies speaks for themselves, whatever their headers say.
    if (!fromProxy) return peer;
    const text = header(clientFrom);
    const stations = text === undefined ? undefined : stationsOf(text);
    if (stations === undefined || stations.length > maxStations) return undefined;
    return typeof trusted === "number"
      ? addressOf(stations[stations.length - trusted])
      : firstBeyond(stations, (bytes) => isWithin(bytes, trusted));
  };
}

/** Tells whether a connection's other end is a declared proxy. Where only their number is declared, all are taken for one. */
export function isProxy(proxies: ContractProxies | undefined, peer: string): boolean {
  if (proxies === undefined) return false;
  if (typeof proxies.trusted === "number") return true;
  const bytes = parseAddress(peer);
  return bytes !== undefined && isWithin(bytes, proxies.trusted);
}

/** The station nearest to us that is no declared proxy; if all are, the one furthest away. */
function firstBeyond(
  stations: readonly string[],
  isTrusted: (bytes: Uint8Array) => boolean,
): string | undefined {
  for (let index = stations.length - 1; index >= 0; index--) {
    const bytes = bytesOf(stations[index]);
    if (bytes === undefined) return undefined;
    if (index === 0 || !isTrusted(bytes)) return formatAddress(bytes);
  }
  return undefined;
}

function addressOf(station: string | undefined): string | undefined {
  const bytes = bytesOf(station);
  return bytes && formatAddress(bytes);
}

function bytesOf(station: string | undefined): Uint8Array | undefined {
  if (station === undefined) return undefined;
  const { v4, v6 } = withPort.exec(station)?.groups ?? {};
  return parseAddress(v4 ?? v6 ?? station);
}
