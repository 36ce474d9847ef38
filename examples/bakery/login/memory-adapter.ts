import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

/** Options of {@link createMemoryAdapter}. */
export interface MemoryAdapterOptions {
  /** Records kept at once, of each kind; the oldest is dropped first. Default 2 000. */
  maxRecords?: number;
  /** The present, in milliseconds. Default: the system's clock. */
  now?: () => number;
}

interface StoredRecord {
  payload: AdapterPayload;
  readonly expiresAt: number;
}

/**
 * Keeps the provider's sessions, grants and codes in memory, each kind apart, so that a flood of half-begun sign-ins
 * drops the oldest of those and nobody's session. A restart signs everybody out, which is right for an example.
 */
export function createMemoryAdapter({
  maxRecords = 2000,
  now = Date.now,
}: MemoryAdapterOptions = {}): AdapterFactory {
  const kinds = new Map<string, Map<string, StoredRecord>>();

  const recordsOf = (kind: string): Map<string, StoredRecord> => {
    const records = kinds.get(kind) ?? new Map<string, StoredRecord>();
    kinds.set(kind, records);
    return records;
  };

  const makeRoom = (records: Map<string, StoredRecord>): void => {
    if (records.size < maxRecords) return;
    for (const [id, { expiresAt }] of records) if (expiresAt <= now()) records.delete(id);
    const [oldest] = records.keys();
    if (records.size >= maxRecords && oldest !== undefined) records.delete(oldest);
  };

  return (kind): Adapter => {
    const records = recordsOf(kind);
    const alive = (id: string): StoredRecord | undefined => {
      const record = records.get(id);
      return record !== undefined && record.expiresAt > now() ? record : undefined;
    };
    const findBy = (member: "uid" | "userCode", value: string): AdapterPayload | undefined =>
      records.values().find(({ payload, expiresAt }) => payload[member] === value && expiresAt > now())
        ?.payload;
    return {
      upsert: async (id, payload, expiresInSeconds) => {
        records.delete(id);
        makeRoom(records);
        records.set(id, { payload, expiresAt: now() + (expiresInSeconds ?? Infinity) * 1000 });
      },
      find: async (id) => alive(id)?.payload,
      findByUid: async (uid) => findBy("uid", uid),
      findByUserCode: async (code) => findBy("userCode", code),
      consume: async (id) => {
        const record = alive(id);
        if (record !== undefined) record.payload = { ...record.payload, consumed: Math.floor(now() / 1000) };
      },
      destroy: async (id) => void records.delete(id),
      revokeByGrantId: async (grantId) => {
        for (const [id, { payload }] of records) if (payload.grantId === grantId) records.delete(id);
      },
    };
  };
}
