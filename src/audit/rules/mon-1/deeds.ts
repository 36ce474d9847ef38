import type { AuditContext } from "../../context.ts";
import type { Exchange } from "../../probes/probe.ts";
import type { LedgerEntry } from "../ledger-records.ts";

/** Something that was done, and what the log has to say of it. */
export interface Deed {
  readonly about: string;
  readonly exchange: Exchange;
  /** When it was done, from and to, in milliseconds since 1970. */
  readonly at: readonly [from: number, to: number];
  /** Tells its record from all others. */
  readonly isOf: (record: LedgerEntry) => boolean;
  /** Further fields that the record must have. */
  readonly says: LedgerEntry;
}

/** Does something, and notes when. */
export async function timed(
  { now }: AuditContext,
  act: () => Promise<Exchange>,
): Promise<Pick<Deed, "exchange" | "at">> {
  const from = now();
  const exchange = await act();
  return { exchange, at: [from, now()] };
}

/** Fields that are left out say nothing. */
export const known = (fields: LedgerEntry): LedgerEntry =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
