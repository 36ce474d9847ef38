export { hardenFolder, replaceFolder } from "./node/harden-folder.ts";
export type { HardenedFile, HardenedFolder, HardenFolderOptions } from "./node/harden-folder.ts";
