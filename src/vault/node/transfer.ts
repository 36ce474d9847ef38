import { timingSafeEqual } from "node:crypto";
import type { Secret } from "../../shared/index.ts";
import { readDocument, writeDocument } from "../export-document.ts";
import type { ExportDocument, ExportedSecret } from "../export-document.ts";
import type { ImportChange, ImportOptions, ImportPlan, VersionInfo } from "../types.ts";
import { decryptWith, encryptFor } from "./age.ts";
import { vaultError } from "./fail.ts";
import { readVersionRows } from "./rows.ts";
import { getSecret, setSecret } from "./secrets.ts";
import type { Actor } from "./secrets.ts";
import type { Store, StoreView } from "./store.ts";

/** Writes all current values of a store into an age file. */
export async function exportSecrets(
  file: string,
  store: Store,
  recipients: readonly string[],
  nowMs: number,
): Promise<Uint8Array> {
  const document = store.read((view) => documentOf(file, view, nowMs));
  const plaintext = writeDocument(document);
  for (const { value } of document.secrets) value.fill(0);
  try {
    return await encryptFor(recipients, plaintext);
  } finally {
    plaintext.fill(0);
  }
}

function documentOf(file: string, view: StoreView, exportedMs: number): ExportDocument {
  const { project, environment } = view.store;
  const current = readVersionRows(view.database, "secret").filter(({ state }) => state === "current");
  const secrets = current.flatMap(({ name }) => getSecret(file, view, name, undefined) ?? []);
  return { project, environment, exportedMs, secrets };
}

/** Reads an age file, and plans what it would change. */
export async function planImport(
  file: string,
  store: Store,
  bytes: Uint8Array,
  identity: Secret,
  actorOf: (by: string) => Actor,
  options: ImportOptions,
): Promise<ImportPlan> {
  const plaintext = await decryptWith(identity, bytes);
  const document = readDocument(plaintext);
  plaintext.fill(0);
  if (typeof document === "string")
    throw vaultError("VAULT_IMPORT_INVALID", `That can't be imported. ${document}`);
  const { changes, generation } = store.read((view) => {
    if (options.insecureAllowOther === undefined) assertSameOrigin(document, view);
    return {
      changes: document.secrets.map((secret) => changeOf(file, view, secret)),
      generation: lastSet(view),
    };
  });
  return createPlan({ store, document, changes, generation, actorOf });
}

function createPlan(planned: {
  store: Store;
  document: ExportDocument;
  changes: readonly ImportChange[];
  generation: number;
  actorOf: (by: string) => Actor;
}): ImportPlan {
  const { store, document, changes, generation, actorOf } = planned;
  const { project, environment, exportedMs } = document;
  let isOver = false;
  const discard = (): void => {
    isOver = true;
    for (const { value } of document.secrets) value.fill(0);
  };
  return {
    project,
    environment,
    exportedMs,
    changes,
    discard,
    async apply(by): Promise<VersionInfo[]> {
      if (isOver) throw changed("The import was done, or discarded.");
      try {
        return store.write((view) => {
          if (lastSet(view) !== generation)
            throw changed("The store was changed since the import was planned.");
          return document.secrets
            .filter((_, index) => changes[index]?.change !== "same")
            .map(({ name, value }) => setSecret(view, name, value, actorOf(by)));
        });
      } finally {
        discard();
      }
    },
  };
}

/** The generation in which a secret was last changed. Not the store's: that one grows also when a log is signed. */
const lastSet = ({ database }: StoreView): number =>
  Number(
    database.prepare("SELECT max(generation) AS last FROM versions WHERE kind = 'secret'").get()?.last ?? 0,
  );

const changed = (message: string): Error =>
  vaultError("VAULT_CHANGED", message, { hint: "Import again, and look at what it would change now" });

function assertSameOrigin({ project, environment }: ExportDocument, { store }: StoreView): void {
  if (project === store.project && environment === store.environment) return;
  throw vaultError(
    "VAULT_IMPORT_INVALID",
    `That is an export of "${project}", ${environment}; this store is of "${store.project}", ${store.environment}.`,
    {
      hint: 'Each environment has values of its own, so that a development machine knows none of production\'s. If it is meant:  --allow-other "why"',
    },
  );
}

function changeOf(file: string, view: StoreView, { name, value }: ExportedSecret): ImportChange {
  const current = getSecret(file, view, name, undefined)?.value;
  if (current === undefined) return { name, change: "new" };
  const isSame = current.length === value.length && timingSafeEqual(current, value);
  current.fill(0);
  return { name, change: isSame ? "same" : "changed" };
}
