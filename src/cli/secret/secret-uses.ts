import type { Contract, ContractSecret } from "../../contract/index.ts";
import { readRecords } from "../../ledger/node.ts";
import type { LedgerRecord } from "../../ledger/index.ts";
import { printable } from "../../shared/index.ts";
import { usersOfSecret } from "./describe-secret.ts";

/** How often somebody caused a secret's use, and when last. */
export interface SecretUse {
  readonly user: string;
  readonly count: number;
  readonly last: string | undefined;
}

/** What the contract permits beside what happened. */
export interface SecretUses {
  /** Each that the contract has; a count of 0 is a grant that nobody needed. */
  readonly grants: readonly SecretUse[];
  /** Those that the log knows, and the contract does not have any more. */
  readonly undeclared: readonly SecretUse[];
}

/** Events of what a secret was used for; the last one says no caller, since a connection is nobody's. */
const uses = ["egress.used", "webhook.accepted", "egress.connection.opened"];

/** Counts the uses of a secret in a site's log, as far back as that goes. */
export async function usesOfSecret(
  contract: Contract,
  secret: ContractSecret,
  log: string,
): Promise<SecretUses> {
  const seen = new Map<string, { count: number; last: string }>();
  for await (const record of readRecords(log, uses)) {
    if (record["secret"] === secret.name) count(seen, record);
  }
  const users = usersOfSecret(contract, secret);
  const grants = users.map((user) => ({
    user,
    count: seen.get(user)?.count ?? 0,
    last: seen.get(user)?.last,
  }));
  const undeclared = [...seen]
    .filter(([user]) => !users.includes(user))
    .map(([user, use]) => ({ user: printable(user, 200), ...use }));
  return { grants, undeclared };
}

function count(seen: Map<string, { count: number; last: string }>, record: LedgerRecord): void {
  const by = record["caller"] ?? record["route"];
  const user = typeof by === "string" ? by : "limitStore";
  const times = typeof record["count"] === "number" ? record["count"] : 1;
  const before = seen.get(user);
  const last = before !== undefined && before.last > record.time ? before.last : record.time;
  seen.set(user, { count: (before?.count ?? 0) + times, last });
}
