/** Remembers values of a chain: the newest, and those that somebody will ask for. */
export interface ChainMemory {
  remember(seq: number, chain: Uint8Array): void;
  /** The value after a record; undefined if it is not remembered. */
  at(seq: number): Uint8Array | undefined;
}

/** A checkpoint covers what was written moments before it. */
const rememberedRecords = 65_536;

export function createChainMemory(asked: readonly number[]): ChainMemory {
  const kept = new Map<number, Uint8Array | undefined>(asked.map((seq) => [seq, undefined]));
  const newest: (readonly [seq: number, chain: Uint8Array] | undefined)[] = [];
  return {
    remember(seq, chain) {
      newest[seq % rememberedRecords] = [seq, chain];
      if (kept.has(seq)) kept.set(seq, chain);
    },
    at(seq) {
      const near = newest[seq % rememberedRecords];
      return kept.get(seq) ?? (near?.[0] === seq ? near[1] : undefined);
    },
  };
}
