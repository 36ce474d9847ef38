import { Refused } from "./errors.ts";
import type { SecretSource, SecretValue } from "./types.ts";

/** Options of {@link createHeldValues}. */
export interface HeldValuesOptions {
  source: SecretSource;
  /** How long a value is held that nobody uses, in milliseconds. Default 60 000. */
  idleMs?: number;
  /** How long a value is held at most, in milliseconds: then it is asked for anew, whatever was told meanwhile. Default 300 000. */
  maxAgeMs?: number;
  /** Milliseconds that only grow, whatever the clock does. */
  elapsed: () => number;
}

/** Values that are in use now. */
export interface HeldValues {
  /** The current version. Throws {@link Refused}. */
  get(name: string): Promise<SecretValue>;
  /** Lets go of these. Requests that have one already go on with it: one request uses one version throughout. */
  forget(names: readonly string[]): void;
  /** Lets go of those that nobody used for a while, and of old ones. */
  sweep(): void;
  /** What is held: names and versions. */
  inUse(): readonly { name: string; version: number }[];
}

interface Held {
  readonly found: Promise<SecretValue | undefined>;
  readonly askedAt: number;
  version: number | undefined;
  usedAt: number;
}

/** Asks for values when they are needed, all who need one at once together, and holds them while they are used. */
export function createHeldValues({
  source,
  idleMs = 60_000,
  maxAgeMs = 300_000,
  elapsed,
}: HeldValuesOptions): HeldValues {
  const held = new Map<string, Held>();

  function ask(name: string): Held {
    const now = elapsed();
    const entry: Held = { found: source.get(name), askedAt: now, version: undefined, usedAt: now };
    held.set(name, entry);
    // What was not there is asked for again: somebody may set it any time. What changed meanwhile was let go of already.
    const drop = (): void => {
      if (held.get(name) === entry) held.delete(name);
    };
    entry.found.then((found) => {
      if (found === undefined) drop();
      else entry.version = found.version;
    }, drop);
    return entry;
  }

  const isOld = ({ askedAt }: Held): boolean => elapsed() - askedAt > maxAgeMs;

  return {
    async get(name) {
      const known = held.get(name);
      const entry = known === undefined || isOld(known) ? ask(name) : known;
      entry.usedAt = elapsed();
      let found: SecretValue | undefined;
      try {
        found = await entry.found;
      } catch {
        throw new Refused("EGRESS_VAULT_UNAVAILABLE", "the vault can't be asked");
      }
      if (found === undefined)
        throw new Refused("EGRESS_SECRET_MISSING", `${name} has no value: curtainwall secret set ${name}`);
      return found;
    },
    forget(names) {
      for (const name of names) held.delete(name);
    },
    sweep() {
      for (const [name, entry] of held)
        if (isOld(entry) || elapsed() - entry.usedAt > idleMs) held.delete(name);
    },
    inUse: () =>
      [...held].flatMap(([name, { version }]) => (version === undefined ? [] : [{ name, version }])),
  };
}
