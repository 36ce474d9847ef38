/** Codes of the errors that `edge` throws. Each has an anchor in `docs/errors.md`. */
export type EdgeErrorCode =
  | "EDGE_OPTION_INVALID"
  | "EDGE_RELEASE_TOO_LARGE"
  | "EDGE_RELEASE_REFUSED"
  | "EDGE_CERTIFICATE_INVALID"
  | "EDGE_LISTEN_FAILED"
  | "EDGE_PORT_IN_USE";
