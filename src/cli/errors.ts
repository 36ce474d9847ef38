/** Codes of the errors that the command line itself throws. Each has an anchor in `docs/errors.md`. */
export type CliErrorCode =
  | "CLI_USAGE_INVALID"
  | "CLI_PART_MISSING"
  | "CLI_DESCRIPTION_INVALID"
  | "CLI_FILE_EXISTS"
  | "CLI_INTERRUPTED"
  | "CLI_DISK_REFUSED"
  | "CLI_SECRET_UNFIT"
  | "CLI_TARGET_BUSY";
