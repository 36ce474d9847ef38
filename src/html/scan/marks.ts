import type { Span } from "../facts/page-facts.ts";
import type { StartTag } from "../facts/start-tag.ts";

/** A tag that matters, as the scanner found it, up to its `>`; of a script or style all of the element. */
export interface Mark extends Span {
  /** Behind the tag's name. */
  readonly nameTo: number;
  /** Behind the start tag: `to`, unless the element holds text. */
  readonly tagTo: number;
  /** Of a script or style: where its text ends, which starts behind the tag. Else -1. */
  readonly contentTo: number;
  /** The roles of its name. */
  readonly what: number;
  readonly namespace: StartTag["namespace"];
  readonly isInert: boolean;
}
