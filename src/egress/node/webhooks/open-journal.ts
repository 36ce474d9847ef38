import { resolve } from "node:path";
import type { EventSink } from "../../../contract/index.ts";
import { CurtainwallError } from "../../../shared/index.ts";
import type { EgressErrorCode } from "../../errors.ts";
import type { DeliveryJournal } from "../../webhooks/delivery-journal.ts";
import type { RememberedDelivery } from "../../webhooks/replay-memory.ts";
import type { DeliveryLine, JournalHead } from "./journal-line.ts";
import { readJournal } from "./read-journal.ts";
import type { ReadJournal } from "./read-journal.ts";
import { openSegments } from "./segments.ts";

/** Options of {@link openDeliveryJournal}. */
export interface DeliveryJournalOptions {
  /** A folder that nobody else writes to. Relative if folders above it will be out of reach. */
  readonly folder: string;
  /** For how long after it was signed a delivery may come, in milliseconds, by secret. */
  readonly tolerances: ReadonlyMap<string, number>;
  readonly events: EventSink;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Size at which a file is left for the next one, in bytes. Default 1 048 576. */
  readonly maxFileBytes?: number;
}

/**
 * Reads what was noted of deliveries, and goes on noting them. There are digests, times and names of secrets in it, nothing else.
 *
 * If anything is missing or the clock is behind what it was, it counts from one tolerance on: what is signed before could have been taken, by a
 * sender whose clock is ahead, too.
 *
 * @throws {CurtainwallError} `EGRESS_JOURNAL_UNUSABLE` if the folder can't be written to
 */
export function openDeliveryJournal({
  folder,
  tolerances,
  events,
  now = Date.now,
  maxFileBytes = 1_048_576,
}: DeliveryJournalOptions): DeliveryJournal {
  try {
    return open();
  } catch (cause) {
    throw new CurtainwallError<EgressErrorCode>(
      "EGRESS_JOURNAL_UNUSABLE",
      "What is remembered of webhooks can't be written.",
      {
        cause,
        hint: `Free space for the folder that egress writes to, or let its user write there: ${resolve(folder)}`,
      },
    );
  }

  function open(): DeliveryJournal {
    const openedMs = now();
    const before = readJournal(folder);
    const fault = before.fault ?? (before.latestMs > openedMs ? "the clock was set back" : undefined);
    if (fault !== undefined) events({ type: "webhook.memory.lost", time: openedMs, reason: fault });
    const head = headOf(before, tolerances, openedMs, fault !== undefined);
    const kept = [...before.kept].flatMap(([secret, deliveries]) =>
      [...deliveries.values()].flatMap((delivery) =>
        delivery.endsMs > openedMs ? [lineOf(secret, delivery, openedMs)] : [],
      ),
    );
    const segments = openSegments({ folder, before: before.numbers, kept, head, maxFileBytes, now });
    return {
      sinceMs: (secret) => head[secret]?.sinceMs ?? openedMs,
      kept: (secret) => before.kept.get(secret)?.values() ?? none,
      note: (secret, delivery) => segments.append(lineOf(secret, delivery, now()), delivery.isTaken),
    };
  }
}

const none: readonly RememberedDelivery[] = [];

const lineOf = (secret: string, delivery: RememberedDelivery, atMs: number): DeliveryLine => ({
  kind: "delivery",
  atMs,
  secret,
  delivery,
});

/**
 * Since when nothing is missing, by secret. A tolerance that was shorter let go of deliveries which a longer one would take for new; one
 * of a secret that nobody heard of begins now.
 */
function headOf(
  { head }: ReadJournal,
  tolerances: ReadonlyMap<string, number>,
  nowMs: number,
  isLost: boolean,
): JournalHead {
  const known = [...tolerances].map(([secret, toleranceMs]) => {
    // What was taken may have been signed later than now, as far as the tolerance goes.
    if (isLost) return [secret, { sinceMs: nowMs + toleranceMs, toleranceMs }];
    const before = head[secret];
    if (before === undefined) return [secret, { sinceMs: nowMs, toleranceMs }];
    const sinceMs =
      toleranceMs > before.toleranceMs
        ? Math.max(before.sinceMs, nowMs - before.toleranceMs)
        : before.sinceMs;
    return [secret, { sinceMs, toleranceMs }];
  });
  return Object.fromEntries(known) as JournalHead;
}
