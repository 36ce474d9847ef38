/** In which way a page's policy is weaker than the strictest: what had to be allowed, and why. */
export type Weakness =
  /** Event handlers written as attributes, allowed by exact hash: markup that is injected could use them again. */
  | "handlers"
  /** `style=` attributes, allowed by exact hash. */
  | "style-attributes"
  /** Scripts load others by addresses that no hash covers: every script of the site may be loaded. */
  | "runtime-scripts"
  /** Scripts add others from other sites, which the owner allows by their addresses: whatever lies there runs. */
  | "added-scripts"
  /** Scripts put styles into the page whose text is not known: any inline style is allowed. */
  | "runtime-styles"
  /** Scripts connect to addresses that are not known: any HTTPS address may be connected to. */
  | "runtime-connections"
  /** A script makes code from strings, and the owner has asked for it to work. */
  | "code-from-strings"
  /** A script compiles WebAssembly. */
  | "webassembly"
  /** A stylesheet of another site loads what is not known: fonts and pictures from any HTTPS address. */
  | "foreign-styles";

/** A script as it stands in a page, for whoever keeps count of what was approved. */
export interface ScriptOccurrence {
  readonly kind:
    | "inline"
    | "handler"
    | "javascript-url"
    | "external"
    /** One of another site that scripts of the page may add. */
    | "added";
  /** Base64 of the SHA-256 of its text; of an external one's bytes, if they are known. */
  readonly hash: string | undefined;
  /** The text as the page has it; for an external one its address: absolute with its query, or a path of the site. */
  readonly text: string;
  /** What an inline one is read as. Default `classic`. */
  readonly type?: "classic" | "module" | "importmap" | "speculationrules";
  /** What pins an external one of another site. */
  readonly integrity?: string | undefined;
}

/** Something that a page loads from another site. */
export interface ForeignScript {
  /** Without its query. */
  readonly url: string;
  readonly kind: "script" | "style";
  /** Its `integrity`; without one, whatever lies at that address is taken. */
  readonly integrity: string | undefined;
  /** The address names a version or a hash, so that an `integrity` could be added. */
  readonly versioned: boolean;
  /** Of a script that no page holds and the page's scripts may add: why its owner allows that. */
  readonly reason?: string | undefined;
}

/** A file that a page, or a stylesheet of it, asks for and that the site does not have. */
export interface MissingFile {
  readonly kind: "script" | "stylesheet" | "picture" | "font" | "media file" | "manifest";
  readonly path: string;
}

/** What was found in a page and what was done with it. */
export interface PageReport {
  readonly inlineScripts: number;
  readonly externalScripts: number;
  /** Imported by scripts of the page. */
  readonly modules: number;
  readonly handlers: number;
  readonly styleAttributes: { readonly kept: number; readonly moved: number };
  readonly scriptUrls: { readonly rewritten: number; readonly neutralised: number };
  readonly weaknesses: readonly Weakness[];
  /** What it may do only because running it has shown that it does: `connect-src https://api.example`. Hashes are not told apart. */
  readonly learned: readonly string[];
  readonly trustedTypes: "enforced" | "report-only";
  /** Why Trusted Types are not enforced: the sinks that its scripts use. */
  readonly trustedTypesReasons: readonly string[];
  readonly foreign: readonly ForeignScript[];
  /** Files of the site that it asks for and that do not exist. */
  readonly missing: readonly MissingFile[];
  /** Pages of the site that it frames. */
  readonly frames: readonly string[];
  /** What is worth a human's look. */
  readonly notes: readonly string[];
  readonly scripts: readonly ScriptOccurrence[];
  /** Folders of the site of which any script may be run: `/` for all of it. What lies there counts as scripts of the page. */
  readonly opened: readonly string[];
  /** Its encoding was not UTF-8, and is now. */
  readonly transcodedFrom: string | undefined;
  /** The fast scanner left it to the reference parser. */
  readonly slow: boolean;
}
