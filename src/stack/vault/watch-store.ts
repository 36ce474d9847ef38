import type { EventSink } from "../../contract/index.ts";
import type { Vault, VersionInfo } from "../../vault/index.ts";

/** Options of {@link watchStore}. */
export interface WatchStoreOptions {
  readonly vault: Vault;
  readonly events: EventSink;
  /** Names whose value is another, or gone. */
  readonly onChange: (names: readonly string[]) => void;
  /** The store can't be read any more. */
  readonly onError: (error: unknown) => void;
}

/** How often the store is asked whether somebody wrote: one counter, read from shared memory. */
const lookEveryMs = 200;

/** Notices what another process writes to the store, says so in the log, and returns what ends it. */
export function watchStore({ vault, events, onChange, onError }: WatchStoreOptions): () => void {
  let known = snapshot(vault);
  const timer = setInterval(() => {
    try {
      if (!vault.changedSince()) return;
      const now = snapshot(vault);
      const changed = differences(known, now);
      for (const { name, version, state, by, changedBy } of changed) {
        if (state === "revoked")
          events({ type: "vault.secret.revoked", time: Date.now(), name, version, by: changedBy });
        else if (state === "current")
          events({ type: "vault.secret.set", time: Date.now(), name, version, by });
      }
      known = now;
      if (changed.length > 0) onChange([...new Set(changed.map(({ name }) => name))]);
    } catch (error) {
      clearInterval(timer);
      onError(error);
    }
  }, lookEveryMs);
  return () => clearInterval(timer);
}

type Versions = ReadonlyMap<string, VersionInfo>;

const snapshot = (vault: Vault): Versions =>
  new Map(
    vault
      .list()
      .flatMap(({ name }) => vault.history(name))
      .map((info) => [`${info.name} ${info.version}`, info]),
  );

const differences = (before: Versions, now: Versions): VersionInfo[] =>
  [...now].flatMap(([key, info]) => (before.get(key)?.state === info.state ? [] : [info]));
