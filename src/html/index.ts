export { outlinePage, readPage, readPageWithParser } from "./read-page.ts";
export type { PageKind, PageOutline } from "./outline.ts";
export { escapeAttribute, escapeText } from "./text/escape.ts";
export { cutAttribute, replaceAttribute, splice } from "./splice.ts";
export type { Edit } from "./splice.ts";
export { createRecent } from "./recent.ts";
export type { Recent } from "./recent.ts";
export { latin1 } from "./runtime.ts";
export { isScriptUrl } from "./facts/script-url.ts";
export type { HtmlErrorCode } from "./errors.ts";
export type {
  AttributeFact,
  NestedPageFact,
  PageFacts,
  PragmaFact,
  ReadPageOptions,
  ResourceFact,
  ResourceKind,
  ScriptFact,
  Span,
  StyleFact,
} from "./facts/page-facts.ts";
