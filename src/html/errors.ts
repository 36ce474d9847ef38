/** Codes of the errors that reading a page can end in. Each has an anchor in `docs/errors.md`. */
export type HtmlErrorCode =
  | "HTML_ENCODING_UNSUPPORTED"
  | "HTML_PAGE_TOO_COMPLEX"
  | "HTML_XML_MALFORMED"
  | "HTML_EDIT_INVALID";
