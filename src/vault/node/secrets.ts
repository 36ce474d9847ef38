import { Secret, printable, revealSecret } from "../../shared/index.ts";
import { isSecretName, keptVersions, maxNames, maxValueBytes } from "../names.ts";
import type { SecretInfo, SecretValue, VersionInfo } from "../types.ts";
import { damaged } from "./database-errors.ts";
import { vaultError } from "./fail.ts";
import { readVersionRows, writeVersionRow } from "./rows.ts";
import type { VersionRow } from "./rows.ts";
import { openValue, sealValue } from "./seal-value.ts";
import type { StoreView, WritableView } from "./store.ts";

/** Who does something, and when. */
export interface Actor {
  readonly by: string;
  readonly nowMs: number;
}

/** Makes a value the current one of its name. */
export function setSecret(view: WritableView, name: string, value: Uint8Array, actor: Actor): VersionInfo {
  const rows = readVersionRows(view.database, "secret", name);
  if (rows.length === 0) assertRoom(view);
  const changed = changeOf(view, actor);
  for (const row of rows)
    if (row.state === "current") writeVersionRow(view.database, { ...row, ...changed, state: "previous" });
  const named = {
    kind: "secret",
    name,
    version: (rows.at(-1)?.version ?? 0) + 1,
    sealedGeneration: view.generation,
  } as const;
  const row: VersionRow = {
    ...named,
    ...changed,
    ...sealValue(view.ring, view.store, named, value),
    state: "current",
    createdMs: actor.nowMs,
    createdBy: changed.changedBy,
  };
  writeVersionRow(view.database, row);
  forgetOldest(view, rows);
  return infoOf(row);
}

function assertRoom({ database }: StoreView): void {
  const { names } = database
    .prepare("SELECT count(DISTINCT name) AS names FROM versions WHERE kind = 'secret'")
    .get() as { names: number };
  if (names >= maxNames)
    throw vaultError("VAULT_LIMIT_EXCEEDED", `A store holds ${maxNames} secrets.`, {
      hint: "Values that are data belong into a database, encrypted with one secret",
    });
}

const changeOf = ({ generation }: WritableView, { by, nowMs }: Actor) => ({
  changedMs: nowMs,
  changedBy: printable(by, 200),
  generation,
});

function forgetOldest({ database }: WritableView, rows: readonly VersionRow[]): void {
  const statement = database.prepare(
    "DELETE FROM versions WHERE kind = 'secret' AND name = ? AND version = ?",
  );
  for (const { name, version } of rows.slice(0, Math.max(0, rows.length + 1 - keptVersions)))
    statement.run(name, version);
}

/** Gives a version's value, or the current one. Undefined: there is no current one. */
export function getSecret(
  file: string,
  view: StoreView,
  name: string,
  version: number | undefined,
): SecretValue | undefined {
  const rows = readVersionRows(view.database, "secret", name);
  const row = rows.find((each) =>
    version === undefined ? each.state === "current" : each.version === version,
  );
  if (row === undefined && version === undefined) return undefined;
  if (row === undefined) throw unknownVersion(name, version);
  if (row.state === "revoked")
    throw vaultError("VAULT_VERSION_REVOKED", `Version ${row.version} of ${name} was revoked.`, {
      hint: `It was erased. Its history: npx curtainwall secret history ${name}`,
    });
  const value = openValue(view.ring, view.store, row);
  if (value === undefined) throw damaged(file);
  return unprinted(name, row.version, value);
}

/** The value is there for who asks for it by name, and for nobody who prints or copies the whole. */
function unprinted(name: string, version: number, value: Uint8Array): SecretValue {
  return Object.defineProperty({ name, version } as SecretValue, "value", { value, enumerable: false });
}

/** All names, sorted, with what is known of them. */
export function listSecrets(view: StoreView): SecretInfo[] {
  const byName = Map.groupBy(readVersionRows(view.database, "secret"), ({ name }) => name);
  return [...byName].map(([name, rows]) => {
    const current = rows.find(({ state }) => state === "current");
    return { name, current: current === undefined ? undefined : infoOf(current), versions: rows.length };
  });
}

/** All versions of a name, the newest first. */
export const historyOf = (view: StoreView, name: string): VersionInfo[] =>
  readVersionRows(view.database, "secret", name).map(infoOf).toReversed();

/** Ends versions and erases what is sealed in them. */
export function revokeSecret(
  view: WritableView,
  name: string,
  version: number | "all",
  actor: Actor,
): VersionInfo[] {
  const rows = readVersionRows(view.database, "secret", name).filter(
    (row) => version === "all" || row.version === version,
  );
  if (rows.length === 0) throw unknownVersion(name, version);
  const nothing = new Uint8Array();
  const end = { ...changeOf(view, actor), state: "revoked", wrapped: nothing, sealed: nothing } as const;
  const live = rows.filter(({ state }) => state !== "revoked");
  for (const row of live) writeVersionRow(view.database, { ...row, ...end });
  return live.map((row) => infoOf({ ...row, ...end }));
}

const unknownVersion = (name: string, version: number | "all" | undefined): Error =>
  vaultError(
    "VAULT_VERSION_UNKNOWN",
    version === "all" ? `There is no secret ${name}.` : `There is no version ${version} of ${name}.`,
    { hint: `Those that there are: npx curtainwall secret history ${name}` },
  );

const infoOf = (row: VersionRow): VersionInfo => ({
  name: row.name,
  version: row.version,
  state: row.state,
  createdMs: row.createdMs,
  by: row.createdBy,
  changedMs: row.changedMs,
  changedBy: row.changedBy,
});

/** @throws {CurtainwallError} `VAULT_NAME_INVALID`. What is no name is not repeated: it may be a value that was put in the wrong place */
export function assertName(name: string): void {
  if (isSecretName(name)) return;
  throw vaultError("VAULT_NAME_INVALID", "That is no secret's name.", {
    hint: "Capital letters, digits and '_', 64 at most, a letter first: DELIVERY_KEY",
  });
}

/**
 * Gives a copy of a value's bytes, to be overwritten after use.
 *
 * @throws {CurtainwallError} `VAULT_VALUE_INVALID`
 */
export function bytesOf(value: Secret | Uint8Array): Uint8Array {
  const bytes = value instanceof Secret ? Buffer.from(revealSecret(value)) : Uint8Array.from(value);
  if (bytes.length > 0 && bytes.length <= maxValueBytes) return bytes;
  bytes.fill(0);
  throw vaultError("VAULT_VALUE_INVALID", `A value has 1 to ${maxValueBytes} bytes.`, {
    hint: "An empty value is no secret. To end one: npx curtainwall secret revoke NAME",
  });
}
