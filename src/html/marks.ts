import type { StartTag } from "./start-tag.ts";

/** A tag that matters, as the scanner found it: where it stands in the page, and where its element ends if that holds text. */
export interface Mark {
  readonly from: number;
  /** Behind the tag's name. */
  readonly nameTo: number;
  /** Behind the start tag. */
  readonly to: number;
  /** Of a script or style: where its text ends, which starts behind the tag. Else -1. */
  readonly contentTo: number;
  /** Behind the end tag; without text, behind the start tag. */
  readonly elementTo: number;
  /** The roles of its name. */
  readonly what: number;
  readonly namespace: StartTag["namespace"];
  readonly isInert: boolean;
}
