import type { ComponentType } from "preact";

/** A file as it was read. */
export interface SourceFile {
  /** Relative to its folder, with `/`. */
  readonly path: string;
  /** Relative to the contract, for messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Set for an island's module: what it does in a page. It is published under the name with its hash only. */
  readonly island?: IslandFacts;
}

/** What an island's module does in a page, for the page's policy. */
export interface IslandFacts {
  /** It calls the API. */
  readonly calls: boolean;
  /** It makes markup of texts, through the sanitiser and the Trusted Types policy of that. */
  readonly makesHtml: boolean;
}

/** A file to be published. */
export interface SiteFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly policy: string;
  /** Its address changes with its bytes. */
  readonly immutable: boolean;
}

/** Something that the build did otherwise than its author may think. */
export interface SiteWarning {
  /** Relative to the contract, with `/`. */
  readonly file: string;
  /** From 1, if it is known. */
  readonly line: number | undefined;
  readonly message: string;
}

/** The components that a template may export: for an entry, a page of the list, a page of a tag's list, and all tags. */
export const templateParts = ["page", "list", "tag", "tags"] as const;

/** One of {@link templateParts}. */
export type TemplatePart = (typeof templateParts)[number];

/** What a collection's template exports. */
export interface Template extends Readonly<
  Partial<Record<TemplatePart, ComponentType<Record<string, unknown>>>>
> {
  readonly file: string;
}
