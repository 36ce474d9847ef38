export { hardenFolder, replaceFolder } from "./node/harden-folder.ts";
export { makeFolder } from "./node/blob-store.ts";
export type { HardenedFile, HardenedFolder, HardenFolderOptions } from "./node/harden-folder.ts";
