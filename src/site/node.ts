// What makes one page again, and no more: the process that does has to be there at once.
export { rebuildPage } from "./node/rebuild-page.ts";
export type { RebuildPageOptions } from "./node/rebuild-page.ts";
export type { RebuiltPage } from "./node/page-notes.ts";
