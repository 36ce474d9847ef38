import type { PageFacts as ReadFacts } from "../../html/index.ts";

/** What a page asks a browser to load through one of its addresses. `link` loads nothing until somebody follows it. */
export type ReferenceKind = "link" | "form" | "script" | "style" | "image" | "media" | "font" | "manifest";

/** An address in a page. */
export interface Reference {
  readonly kind: ReferenceKind;
  /** As written. */
  readonly address: string;
  readonly url: URL;
  /** The element's `integrity`. */
  readonly integrity: string | undefined;
}

/** A finished page, as a browser will understand it. */
export interface PageFacts {
  readonly inlineScripts: ReadonlySet<string>;
  readonly inlineStyles: ReadonlySet<string>;
  readonly references: readonly Reference[];
  readonly hasForm: boolean;
  /** What a link's `#fragment` can lead to. */
  readonly anchors: ReadonlySet<string>;
  /** As it was read byte by byte, if that was enough. */
  readonly scan?: ReadFacts;
  /** Why it can't be published; empty if it can. */
  readonly problems: readonly string[];
}
