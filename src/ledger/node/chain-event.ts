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

/** What the log's own records have near their beginning. No text of a record can have it: there a quotation mark comes after a backslash. */
export const eventMark: Uint8Array = Buffer.from('"source":"ledger","severity":"');
/** Before it stands the time. */
export const mostBefore = 64;
/** What most lines differ in: whose they are. */
const whoseAt = '"source":"'.length;
const [quote, whose] = [eventMark[0], eventMark[whoseAt]];

/** Reads what the log says of itself. */
export function readChainEvent(bytes: Buffer): ChainEvent | undefined {
  if (!hasMark(bytes)) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8")) as ChainEvent;
  } catch {
    return undefined;
  }
}

/** By hand: a search costs more than the few bytes that it would look at. */
function hasMark(bytes: Buffer): boolean {
  for (let at = 0; at <= mostBefore; at++)
    if (bytes[at] === quote && bytes[at + whoseAt] === whose && isMarkAt(bytes, at)) return true;
  return false;
}

function isMarkAt(bytes: Buffer, at: number): boolean {
  for (let index = 0; index < eventMark.length; index++)
    if (bytes[at + index] !== eventMark[index]) return false;
  return true;
}

/** Tells whether a record is one that the chain of a file begins with, or goes on with after a crash. */
export const isBeginning = (event: ChainEvent | undefined): event is ChainEvent =>
  event?.event === "ledger.opened" || event?.event === "ledger.resumed";
