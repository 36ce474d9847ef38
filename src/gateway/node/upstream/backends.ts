import { networkOf, networkOfHost } from "../../../contract/index.ts";
import type { ContractUpstream, EventSink } from "../../../contract/index.ts";
import { createAddressBook } from "../../../shared/node.ts";
import type { AddressBook, Lookup } from "../../../shared/node.ts";
import { createBackend } from "./backend.ts";
import type { Backend, ClientCertificate } from "./backend.ts";

/** Options of {@link openBackends}. */
export interface BackendsOptions {
  upstream: ContractUpstream;
  ca: string | undefined;
  clientCertificate: () => ClientCertificate | undefined;
  connections: number;
  maxStreams: number;
  lookup: Lookup | undefined;
  /** A socket that all requests go through. Undefined: they go to its addresses. */
  socketPath?: string | undefined;
  events: EventSink;
  now: () => number;
}

/** All addresses of an upstream, as they are known now. */
export interface Backends {
  /** None: nothing is known, {@link load} may help. */
  current(): readonly Backend[];
  load(): Promise<unknown>;
  /** Makes all connections anew. */
  renew(): void;
  close(): Promise<void>;
}

interface Place {
  readonly url: URL;
  readonly book: AddressBook;
  known: readonly string[];
  backends: readonly Backend[];
}

/** Keeps connections to each address of each of an upstream's URLs, and follows what their names mean from time to time. */
export function openBackends(options: BackendsOptions): Backends {
  return options.socketPath === undefined ? openAddresses(options) : openSocket(options);
}

/** Whoever listens there looks for addresses itself. */
function openSocket(options: BackendsOptions): Backends {
  const { url, timeoutMs } = options.upstream;
  const backend = createBackend({ ...options, url, address: "egress", timeoutMs, isProbed: false });
  return {
    current: () => [backend],
    load: () => Promise.resolve(),
    renew: () => backend.renew(),
    close: () => backend.destroy(),
  };
}

function openAddresses(options: BackendsOptions): Backends {
  const { upstream, now, lookup } = options;
  const places = [upstream.url, ...(upstream.alternates ?? [])].map((url): Place => {
    const network = upstream.network ?? networkOfHost(url.hostname) ?? "public";
    const mayUse = (address: string): boolean => networkOf(address) === network;
    const onRefused = (addresses: readonly string[]): void => report(options, url, addresses);
    return {
      url,
      book: createAddressBook({ host: url.hostname, mayUse, lookup, now, onRefused }),
      known: [],
      backends: [],
    };
  });
  let all: readonly Backend[] = [];
  /** Those that a name does not mean any more, while their last requests are under way. */
  const retired = new Set<Backend>();

  /** Makes what is new, and lets go of what is no more; connections to what stays are kept. */
  function follow(place: Place, addresses: readonly string[]): void {
    const { url } = place;
    const kept = place.backends.filter(({ address }) => addresses.includes(address));
    for (const backend of place.backends) {
      if (kept.includes(backend)) continue;
      for (const old of retired) if (old.outstanding === 0) retired.delete(old);
      retired.add(backend);
      backend.retire();
    }
    const added = addresses.filter((address) => !kept.some((backend) => backend.address === address));
    const { timeoutMs } = upstream;
    const isProbed = upstream.health !== undefined;
    place.backends = [
      ...kept,
      ...added.map((address) => createBackend({ ...options, url, address, timeoutMs, isProbed })),
    ];
    place.known = addresses;
    all = places.flatMap(({ backends }) => backends);
  }

  return {
    current() {
      for (const place of places) {
        const addresses = place.book.addresses();
        if (addresses !== place.known) follow(place, addresses);
      }
      return all;
    },
    renew() {
      for (const backend of all) backend.renew();
    },
    load: () => Promise.all(places.map(({ book }) => book.load())),
    async close() {
      await Promise.all([...all, ...retired].map((backend) => backend.destroy()));
    },
  };
}

function report({ upstream, events, now }: BackendsOptions, url: URL, addresses: readonly string[]): void {
  events({
    type: "gateway.upstream.address.refused",
    time: now(),
    upstream: upstream.name,
    host: url.hostname,
    addresses,
  });
}
