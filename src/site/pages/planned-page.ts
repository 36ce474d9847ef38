import type { EntryLists } from "../content/collections.ts";
import type { Here } from "../template/page-props.ts";
import type { TemplatePart } from "../source.ts";

/** A page that is to be made: where it stands, what its template is given, and what names all of that. */
export interface PlannedPage {
  readonly path: string;
  /** The collection whose template makes it. */
  readonly collection: string;
  /** Which of the template's components. */
  readonly part: TemplatePart;
  /** What it is made of, for messages: its content file, else its template. */
  readonly file: string;
  /** The content file's text; empty if there is none. */
  readonly text: string;
  readonly here: Here;
  /** What the component is given besides the collections, the origin and {@link PlannedPage.here}. */
  readonly props: Readonly<Record<string, unknown>>;
  /** The collections in its language. */
  readonly entries: EntryLists;
  /** Names its address, its {@link PlannedPage.here} and its props; undefined when that can't be told. */
  readonly digest: string | undefined;
  /** What was read of it says when it last changed: for the sitemap. */
  readonly data: unknown;
}
