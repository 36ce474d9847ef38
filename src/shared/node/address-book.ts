import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";

/** Finds a name's addresses. Rejects if there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** Options of {@link createAddressBook}. */
export interface AddressBookOptions {
  /** A name or an address, as a URL has it. */
  host: string;
  /** Whether an address lies where the service may be; others are not used. */
  mayUse: (address: string) => boolean;
  lookup?: Lookup | undefined;
  /** How long what was found is taken for true, in milliseconds. Default 30 000. */
  maxAgeMs?: number;
  /** How long it is used while nothing newer can be found, in milliseconds. Default 600 000. */
  maxStaleMs?: number;
  /** How long a look-up that found nothing is not repeated, in milliseconds. Default 1 000. */
  coolDownMs?: number;
  /** The present in milliseconds. */
  now: () => number;
  /** Told of addresses that lie elsewhere; they are not used. */
  onRefused: (addresses: readonly string[]) => void;
}

/** The addresses that a service has now: looked up seldom, checked once, and connected to as they are. */
export interface AddressBook {
  /** None: nothing was found yet, or not for too long. Has what is old looked up again, behind the request's back. */
  addresses(): readonly string[];
  /** Settles once it was tried to find some. */
  load(): Promise<void>;
}

/** A name with more is not believed to mean them all: each would get connections of its own. */
const maxAddresses = 16;
const none: readonly string[] = [];

/**
 * Looks a service's addresses up, and keeps those that it may have. Who may answer for a name can change what it means
 * from one look-up to the next (DNS rebinding): nothing is connected to but an address that was checked here.
 */
export function createAddressBook(options: AddressBookOptions): AddressBook {
  const { host, mayUse, now, onRefused, lookup = findAll } = options;
  const { maxAgeMs = 30_000, maxStaleMs = 600_000, coolDownMs = 1000 } = options;
  const literal = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(literal) > 0) return fixed(mayUse(literal) ? [literal] : none);
  let found = none;
  let foundAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  /** A clock that was set back makes all of it old. */
  const isWithin = (since: number, ms: number): boolean => now() >= since && now() - since < ms;

  async function ask(): Promise<void> {
    askedAt = now();
    try {
      const all = [...new Set(await lookup(host))];
      const usable = all.filter(mayUse).slice(0, maxAddresses);
      const refused = all.filter((address) => !mayUse(address));
      if (refused.length > 0) onRefused(refused);
      if (usable.length === 0) return;
      found = isSame(found, usable) ? found : usable;
      foundAt = now();
    } catch {
      // What was found before is used for a while.
    } finally {
      asking = undefined;
    }
  }

  function load(): Promise<void> {
    if (asking !== undefined) return asking;
    if (isWithin(askedAt, coolDownMs)) return Promise.resolve();
    asking = ask();
    return asking;
  }

  return {
    load,
    addresses() {
      if (isWithin(foundAt, maxAgeMs)) return found;
      void load();
      return isWithin(foundAt, maxStaleMs) ? found : none;
    },
  };
}

const fixed = (addresses: readonly string[]): AddressBook => ({
  addresses: () => addresses,
  load: () => Promise.resolve(),
});

/** As the system does, `/etc/hosts` included. */
const findAll: Lookup = async (host) =>
  (await systemLookup(host, { all: true, order: "verbatim" })).map(({ address }) => address);

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((address) => others.includes(address));
}
