import type { Missing, VaultReads } from "../../audit/index.ts";
import { readRecords } from "../../ledger/node.ts";

/** An event of something that was done with a secret, and the field that names it. */
const reads = { "vault.secret.read": "name" } as const;
const uses = { "egress.used": "secret", "webhook.accepted": "secret" } as const;

/**
 * Counts what the vault gave out and what was used, since the stack was last started: a vault that writes down nothing any more must not live on what it
 * wrote in other days.
 */
export async function readsOfVault(log: string): Promise<VaultReads | Missing> {
  let found: { read: Map<string, number>; used: Map<string, number> } | undefined;
  for await (const record of readRecords(log, [
    "stack.started",
    ...Object.keys(reads),
    ...Object.keys(uses),
  ])) {
    if (record.event === "stack.started") found = { read: new Map(), used: new Map() };
    if (found === undefined) continue;
    const times = typeof record["count"] === "number" ? record["count"] : 1;
    const { event } = record;
    if (event in reads) add(found.read, record[reads[event as keyof typeof reads]], times);
    if (event in uses) add(found.used, record[uses[event as keyof typeof uses]], times);
  }
  return found ?? { missing: "the log goes back no further than the stack's last start" };
}

function add(counts: Map<string, number>, name: unknown, times: number): void {
  if (typeof name === "string") counts.set(name, (counts.get(name) ?? 0) + times);
}
