export { buildPages, toReleaseInput } from "./build-pages.ts";
export type { BuildMemory, Remembered } from "./build-memory.ts";
export type { BuiltSite, SitePage, SiteSources } from "./build-pages.ts";
export type { SiteErrorCode, SourcePlace } from "./errors.ts";
export { buildSite } from "./node/build-site.ts";
export type { BuildProgress, BuildSiteOptions, SiteBuild } from "./node/build-site.ts";
export type { InlineCode } from "./provenance.ts";
export type { SiteFile, SiteWarning, SourceFile, Template } from "./source.ts";
