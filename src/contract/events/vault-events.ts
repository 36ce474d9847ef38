import type { EventDescription } from "./event-description.ts";

/** What happens to secrets in the vault, and who was given them. */
export const vaultEvents = {
  "vault.opened": {
    severity: "notice",
    says: "The vault opened its store",
    fields: { environment: "text", generation: "number" },
  },
  "vault.store.replaced": {
    severity: "alert",
    says: "Another file lies where the vault's store lay: all values were let go of, and the vault opens what lies there now",
    fields: { environment: "text" },
  },
  "vault.secret.set": {
    severity: "notice",
    says: "A secret has a new value",
    fields: { name: "text", version: "number", by: "text" },
  },
  "vault.secret.revoked": {
    severity: "notice",
    says: "A version of a secret was revoked, and what was sealed in it erased",
    fields: { name: "text", version: "number", by: "text" },
  },
  "vault.secret.read": {
    severity: "notice",
    says: "The vault gave a secret's value out",
    fields: { name: "text", version: "number", to: "text", count: "number" },
  },
  "vault.secret.denied": {
    severity: "alert",
    says: "The vault was asked for a secret that the contract does not declare, and cut off who asked",
    fields: { name: "text", to: "text", count: "number" },
  },
} as const satisfies Record<`vault.${string}`, EventDescription>;
