/** Codes of the errors that `harden` throws. Each has an anchor in `docs/errors.md`. */
export type HardenErrorCode =
  | "HARDEN_FOLDER_INVALID"
  | "HARDEN_LINK_ESCAPES"
  | "HARDEN_NAME_INVALID"
  | "HARDEN_PATH_CONFLICT"
  | "HARDEN_FILE_CHANGED"
  | "HARDEN_FILE_TOO_LARGE"
  | "HARDEN_PAGE_UNREADABLE"
  | "HARDEN_OUTPUT_FAILED"
  | "HARDEN_OUTPUT_REFUSED"
  | "HARDEN_LEAK_FOUND"
  | "HARDEN_FEED_INVALID";
