export { buildPages, toReleaseInput } from "./build-pages.ts";
export type { BuiltSite, SitePage, SiteSources, Template } from "./build-pages.ts";
export type { SiteErrorCode, SourcePlace } from "./errors.ts";
export { buildSite } from "./node/build-site.ts";
export type { BuildProgress, BuildSiteOptions, SiteBuild } from "./node/build-site.ts";
export type { InlineCode } from "./provenance.ts";
export type { SiteFile, SiteWarning, SourceFile } from "./source.ts";
