import { sign } from "node:crypto";
import type { LogClaim, LogSigning, SignedLog, UnseenLog } from "../types.ts";
import { damaged } from "./database-errors.ts";
import { readVersionRows, writeVersionRow } from "./rows.ts";
import { openValue } from "./seal-value.ts";
import type { Actor } from "./secrets.ts";
import { innerRow, newKey, publicHalfOf, readPkcs8 } from "./signing.ts";
import type { Store, StoreView, WritableView } from "./store.ts";

/** What was signed last of a log, and the key that signed it before ours. */
interface SealedClaim extends LogClaim {
  readonly after?: string;
}

/** A site has one log, and another when that was deleted; what was signed of the oldest is forgotten first. */
const mostLogs = 64;

/**
 * Signs a log with the store's key for that, which is made first if there is none. What is signed is sealed before the signature leaves: killed in
 * between, the store knows more than anybody was told, and never less.
 */
export function signLog(
  file: string,
  store: Store,
  claim: LogClaim,
  how: LogSigning,
  actor: Actor,
): SignedLog | UnseenLog | string {
  const refusal = store.read((view) => refusalOf(file, view, claim, how));
  if (refusal !== undefined) return refusal;
  const sealed = store.write(
    (view) => refusalOf(file, view, claim, how) ?? seal(file, view, claim, how, actor),
  );
  if (typeof sealed === "string" || "unseen" in sealed) return sealed;
  const { pkcs8, ...signer } = sealed;
  try {
    return { ...signer, signature: sign(null, how.textOf(signer), readPkcs8(pkcs8)) };
  } finally {
    pkcs8.fill(0);
  }
}

/** Says why a log is not signed: it is less, or other, than what was; or nobody saw that it goes on from there. */
function refusalOf(
  file: string,
  view: StoreView,
  { log, through, head }: LogClaim,
  { before, seen, searched }: LogSigning,
): string | UnseenLog | undefined {
  const last = lastOf(readClaims(file, view), log);
  const key = keyOf(file, view);
  // Without a key it signed nothing, whatever there is of it.
  if (key === undefined) return undefined;
  if (last === undefined)
    return before === undefined && searched !== key ? { unseen: undefined, key } : undefined;
  if (through < last.through)
    return `it ends with record ${through}; the vault signed it before up to ${last.through}`;
  if (through === last.through)
    return head === last.head ? undefined : `record ${through} is not the one that the vault signed before`;
  if (isSame(last, seen) || isSame(last, before)) return undefined;
  // A store that was restored remembers less than its key signed; what that signed after is as good as remembered.
  if (before !== undefined && before.through > last.through && before.key === key) return undefined;
  return { unseen: { log, through: last.through, head: last.head }, key };
}

const isSame = (last: LogClaim, seen: LogClaim | undefined): boolean =>
  seen !== undefined && seen.log === last.log && seen.through === last.through && seen.head === last.head;

/** Seals what will be signed, and gives the key. */
function seal(
  file: string,
  view: WritableView,
  { log, through, head }: LogClaim,
  { before }: LogSigning,
  actor: Actor,
): Omit<SignedLog, "signature"> & { pkcs8: Uint8Array } {
  const claims = readClaims(file, view);
  const last = lastOf(claims, log);
  const pkcs8 = readKey(file, view) ?? makeKey(view, actor);
  const key = publicHalfOf(pkcs8)?.text;
  if (key === undefined) throw damaged(file);
  // Only of a log that it never signed can the key before be another's: whoever writes the supervisor's files could name any.
  const after = last !== undefined ? last.after : before?.key === key ? undefined : before?.key;
  const signed: SealedClaim = { log, through, head, ...(after === undefined ? {} : { after }) };
  const kept = [...claims.filter((one) => one.log !== log), signed].slice(-mostLogs);
  writeVersionRow(
    view.database,
    innerRow(view, { kind: "log", name: "signed" }, Buffer.from(JSON.stringify(kept)), actor),
  );
  const remembered = last?.through ?? 0;
  const isBehind = before !== undefined && before.key === key && before.through > remembered;
  const begun = last === undefined && !isBehind ? claims.at(-1)?.log : undefined;
  return { pkcs8, key, after, begunAfter: begun, behind: isBehind ? remembered : undefined };
}

const lastOf = (claims: readonly SealedClaim[], log: string): SealedClaim | undefined =>
  claims.find((one) => one.log === log);

function readClaims(file: string, view: StoreView): SealedClaim[] {
  const bytes = unseal(file, view, "signed");
  return bytes === undefined ? [] : (JSON.parse(Buffer.from(bytes).toString("utf8")) as SealedClaim[]);
}

const readKey = (file: string, view: StoreView): Uint8Array | undefined => unseal(file, view, "key");

function keyOf(file: string, view: StoreView): string | undefined {
  const pkcs8 = readKey(file, view);
  if (pkcs8 === undefined) return undefined;
  try {
    return publicHalfOf(pkcs8)?.text;
  } finally {
    pkcs8.fill(0);
  }
}

/** Apart from the keys that anything may be signed with: those are asked for by their purpose, and this one has none. */
function makeKey(view: WritableView, actor: Actor): Uint8Array {
  const pkcs8 = newKey();
  writeVersionRow(view.database, innerRow(view, { kind: "log", name: "key" }, pkcs8, actor));
  return pkcs8;
}

function unseal(file: string, view: StoreView, name: "key" | "signed"): Uint8Array | undefined {
  const row = readVersionRows(view.database, "log", name).at(-1);
  if (row === undefined) return undefined;
  const bytes = openValue(view.ring, view.store, row);
  if (bytes === undefined) throw damaged(file);
  return bytes;
}
