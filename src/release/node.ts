export { writeWhole } from "./node/durable.ts";
export { createHostClient } from "./node/host-client.ts";
export type { HostClient, HostClientOptions } from "./node/host-client.ts";
export { createKeyFile, openKeyFile, openOrCreateKeyFile, readPublicHalf } from "./node/key-file.ts";
export type { OpenKeyOptions } from "./node/key-file.ts";
export { openSshKey } from "./node/ssh-signer.ts";
export { openPack, openReleaseStore, readPackIndex } from "./node/store.ts";
export type { ReleaseStore, StoredRelease } from "./node/store.ts";
