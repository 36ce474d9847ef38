/** Codes of the errors that `stack` throws. Each has an anchor in `docs/errors.md`. */
export type StackErrorCode =
  | "STACK_CONFIG_MISSING"
  | "STACK_CONFIG_FAILED"
  | "STACK_FILE_UNREADABLE"
  | "STACK_RELEASE_MISSING"
  | "STACK_PROGRAM_UNSIGNED"
  | "STACK_PORT_IN_USE"
  | "STACK_PORT_REFUSED"
  | "STACK_STATE_FOREIGN"
  | "STACK_CERTIFICATE_MISSING"
  | "STACK_CERTIFICATE_INVALID"
  | "STACK_DOMAIN_FAILED";
