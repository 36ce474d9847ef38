export { createVault, openVault } from "./node/vault.ts";
export { loadKey } from "./node/key-source.ts";
export { prepareExport } from "./node/age.ts";
