/** Codes of the errors that `functions` throws. Each has an anchor in `docs/errors.md`. */
export type FunctionsErrorCode =
  | "FUNCTIONS_BOOT_FAILED"
  | "FUNCTIONS_BUNDLE_CHANGED"
  | "FUNCTIONS_CALL_INVALID"
  | "FUNCTIONS_ENGINE_MISSING"
  | "FUNCTIONS_FILE_MISSING"
  | "FUNCTIONS_FILE_UNDECLARED"
  | "FUNCTIONS_IMPORT_REFUSED"
  | "FUNCTIONS_SOURCE_INVALID"
  | "FUNCTIONS_TOO_LARGE";
