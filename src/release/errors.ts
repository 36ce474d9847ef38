/** Codes of the errors that `release` throws. Each has an anchor in `docs/errors.md`. */
export type ReleaseErrorCode =
  | "RELEASE_KEY_EXISTS"
  | "RELEASE_KEY_MISSING"
  | "RELEASE_KEY_UNREADABLE"
  | "RELEASE_KEY_EXPOSED"
  | "RELEASE_KEY_LOCKED"
  | "RELEASE_KEY_MISMATCH"
  | "RELEASE_SIGNING_FAILED"
  | "RELEASE_UNKNOWN"
  | "RELEASE_STORE_UNWRITABLE"
  | "RELEASE_HOST_INVALID";
