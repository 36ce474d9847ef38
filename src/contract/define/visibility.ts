import type { Access } from "../access.ts";

/** Which objects of an upstream's answer exist for whom. */
export interface VisibilityOptions {
  /** The field that says it. It need not be in `response`. A dot reaches into objects: `"meta.status"`. */
  field: string;
  /** Its values for which an object is there for all whom `access` lets in. An object with another, or without the field, is not. */
  is: readonly (string | number | boolean)[];
  /** Who sees the others too: a {@link role}, a {@link scope}, or {@link allOf} or {@link anyOf} of them. Default: nobody. */
  unless?: Access;
  /** The field of the answer with the list, where it is not the answer itself: `"items"`. Default: the answer is the object, or the list. */
  in?: string;
}

/** What routes say of who gets to know what. */
export interface VisibilityOption {
  /**
   * Objects that are not there for everybody, say unpublished ones: dropped from lists, and "not found" where they are asked for alone. Only
   * for GET. Default: all are there.
   */
  visible?: VisibilityOptions;
  /** Answers 404 instead of 403 to those whom `access` does not let in, as if what they ask for were not there. Default false. */
  hide?: boolean;
}
