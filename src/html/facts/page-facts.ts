/**
 * A stretch of a page's bytes, `from` its first up to, not including, `to`. Offsets count bytes of {@link PageFacts.bytes}, which are
 * always UTF-8.
 */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A `<script>`, in HTML or in SVG. */
export interface ScriptFact {
  /**
   * What a browser does with it: runs it at once or later (`classic`, `module`), reads it before others (`importmap`,
   * `speculationrules`), or leaves it alone (`data`).
   */
  readonly type: "classic" | "module" | "importmap" | "speculationrules" | "data";
  /** The whole element, from `<script` to the end of `</script>`. */
  readonly element: Span;
  /** What stands between its tags. */
  readonly content: Span;
  /** The text as a browser sees it: newlines normalised, references resolved where SVG does that. What a CSP hash is made of. */
  readonly text: string;
  /** Its address as written, if it has one; the text is then ignored by browsers, even if the address is empty. */
  readonly src: string | undefined;
  readonly attributes: readonly AttributeFact[];
}

/** A `<style>`, in HTML or in SVG. */
export interface StyleFact {
  readonly element: Span;
  readonly content: Span;
  /** The text as a browser sees it. */
  readonly text: string;
  readonly attributes: readonly AttributeFact[];
}

/** One attribute as a browser sees it: the first of its name on its element. */
export interface AttributeFact {
  /** The element it stands on, lower case (`a`, `svg:use` is `use`). */
  readonly element: string;
  /** Lower case, with its prefix: `onclick`, `xlink:href`. */
  readonly name: string;
  /** With character references resolved. */
  readonly value: string;
  /** Name and value, with the white space before it: what is cut to remove it; see `duplicates`, and `cutAttribute`. */
  readonly span: Span;
  /**
   * Later attributes of the same name on its tag, which browsers ignore as long as the first is there: whoever cuts the first must
   * cut these too. Undefined if there are none.
   */
  readonly duplicates: readonly Span[] | undefined;
  /** The start tag it stands in, `<` to `>`. */
  readonly tag: Span;
}

/** What a page asks a browser to fetch, to frame, or to send to. `link` fetches nothing until somebody follows it. */
export type ResourceKind =
  | "script"
  | "style"
  | "image"
  | "media"
  | "track"
  | "font"
  | "frame"
  | "object"
  | "manifest"
  | "worker"
  | "fetch"
  | "form"
  | "link"
  | "prefetch"
  | "connect-hint"
  | "ping"
  | "svg-use";

/** One address in a page. */
export interface ResourceFact {
  readonly kind: ResourceKind;
  /** As written, with references resolved and white space trimmed; one entry for each candidate of a `srcset`. */
  readonly address: string;
  readonly attribute: AttributeFact;
  /** The element's `integrity`, if it has one. */
  readonly integrity: string | undefined;
  /** The element's `crossorigin` as written, if it has one. */
  readonly crossOrigin: string | undefined;
}

/** A `<meta http-equiv>`. */
export interface PragmaFact {
  /** Lower case: `content-security-policy`, `refresh`. */
  readonly name: string;
  readonly content: string;
  readonly element: Span;
  /** It stands inside a `<template>` or a `<noscript>`, where a browser with scripting on does not obey it. */
  readonly inert: boolean;
}

/** The page that a frame's `srcdoc` holds. It inherits the policy of the page around it, so its scripts need that policy's leave. */
export interface NestedPageFact {
  readonly attribute: AttributeFact;
  /** Its offsets are those of the attribute's value in UTF-8: edit `page.bytes`, then write that, escaped, as the new value. */
  readonly page: PageFacts;
}

/** A page as a browser understands it, with scripting on: what runs, what it loads, and where in its bytes each of these stands. */
export interface PageFacts {
  /** The page in UTF-8: the file's own bytes, unless `encoding` says that it was written in something else. */
  readonly bytes: Uint8Array;
  /** The encoding it was read in, by its WHATWG name. Other than `utf-8`: `bytes` were transcoded. */
  readonly encoding: string;
  /** In the order of the page. Also those inside `<template>` and inside `<noscript>`, which other readers see. */
  readonly scripts: readonly ScriptFact[];
  readonly styles: readonly StyleFact[];
  /** Every `on…` content attribute. */
  readonly handlers: readonly AttributeFact[];
  readonly styleAttributes: readonly AttributeFact[];
  /** Attributes that a browser would run as a script: `javascript:` after what the URL parser strips, in any attribute that navigates. */
  readonly scriptUrls: readonly AttributeFact[];
  readonly resources: readonly ResourceFact[];
  /** The first `<base href>`, as written. */
  readonly base: string | undefined;
  readonly pragmas: readonly PragmaFact[];
  /**
   * Attributes that name the page's encoding: `charset`, or the `content` of `<meta http-equiv=content-type>`. They are wrong once the
   * page has been transcoded.
   */
  readonly charsets: readonly AttributeFact[];
  /** What `<frame>` and `<iframe>` elements hold in `srcdoc`. */
  readonly nested: readonly NestedPageFact[];
  /** There is a form that sends to the page's own address: it has no `action`, or an empty one. */
  readonly submitsToItself: boolean;
  /** There is a `<template shadowrootmode>`: some of its elements are out of the reach of its stylesheets. */
  readonly shadowRoots: boolean;
  /** Every `id`, each once: what fragments may point to. Only when asked for. */
  readonly ids: readonly string[] | undefined;
  /** Where markup can be put so that it is the first inside `<head>`, whether or not the page writes that tag. */
  readonly headStart: number;
  /** Where markup can be put so that it is the last inside `<head>`; `headStart` if the page writes no `</head>`. */
  readonly headEnd: number;
  /** Why the fast scanner left this page to the reference parser; undefined if it did not. */
  readonly fallback: string | undefined;
}

/** Options of {@link readPage}. */
export interface ReadPageOptions {
  /** The charset of the content-type header it will be served with, if there is one. It wins over the page's own. */
  readonly charset?: string;
  /** `xml` for XHTML and SVG files. Default `html`. */
  readonly syntax?: "html" | "xml";
  /** Collect {@link PageFacts.ids}. Default false. */
  readonly ids?: boolean;
  /**
   * Collect resources of kind `link`, which nothing but a check of links needs and which are most of what a page has.
   * Those that would run a script are found either way. Default true.
   */
  readonly links?: boolean;
}
