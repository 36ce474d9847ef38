/** What the log itself writes into its chain, as far as its place there depends on it. */
export interface ChainEvent {
  readonly event: string;
  readonly time?: string;
  readonly log?: string;
  readonly bytes?: number;
  readonly digest?: string;
  readonly earlier?: number;
  readonly first?: number;
  readonly last?: number;
  readonly head?: string;
}

const eventMark = Buffer.from('"source":"ledger","severity":"');

/** Reads what the log says of itself. No text of a record can have the mark: there a quotation mark comes after a backslash. */
export function readChainEvent(bytes: Buffer): ChainEvent | undefined {
  const at = bytes.indexOf(eventMark);
  if (at < 0 || at > 64) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8")) as ChainEvent;
  } catch {
    return undefined;
  }
}

/** Tells whether a record is one that the chain of a file begins with, or goes on with after a crash. */
export const isBeginning = (event: ChainEvent | undefined): event is ChainEvent =>
  event?.event === "ledger.opened" || event?.event === "ledger.resumed";
