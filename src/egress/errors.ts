/** What egress answers with in a service's place. */
export type EgressAnswerCode =
  | "EGRESS_CALLER_UNKNOWN"
  | "EGRESS_TARGET_REFUSED"
  | "EGRESS_HEADERS_REFUSED"
  | "EGRESS_PROTOCOL_REFUSED"
  | "EGRESS_USE_UNDECLARED"
  | "EGRESS_USE_AMBIGUOUS"
  | "EGRESS_QUERY_REFUSED"
  | "EGRESS_BODY_REFUSED"
  | "EGRESS_REQUEST_TOO_LARGE"
  | "EGRESS_BUSY"
  | "EGRESS_SECRET_MISSING"
  | "EGRESS_SECRET_UNFIT"
  | "EGRESS_VAULT_UNAVAILABLE"
  | "EGRESS_ADDRESS_REFUSED"
  | "EGRESS_CERTIFICATE_REFUSED"
  | "EGRESS_SERVICE_UNAVAILABLE"
  | "EGRESS_SERVICE_TIMEOUT"
  | "EGRESS_TOKEN_REFUSED"
  | "EGRESS_ANSWER_INVALID"
  | "EGRESS_ANSWER_TOO_LARGE"
  | "EGRESS_FAILED";

/** Codes of what egress answers, and of what it throws. Each has an anchor in `docs/errors.md`. */
export type EgressErrorCode = EgressAnswerCode | "EGRESS_OPTION_INVALID" | "EGRESS_JOURNAL_UNUSABLE";

const statuses: Readonly<Record<EgressAnswerCode, number>> = {
  EGRESS_CALLER_UNKNOWN: 403,
  EGRESS_TARGET_REFUSED: 403,
  EGRESS_HEADERS_REFUSED: 403,
  EGRESS_PROTOCOL_REFUSED: 403,
  EGRESS_USE_UNDECLARED: 403,
  EGRESS_USE_AMBIGUOUS: 403,
  EGRESS_QUERY_REFUSED: 403,
  EGRESS_BODY_REFUSED: 403,
  EGRESS_REQUEST_TOO_LARGE: 413,
  EGRESS_BUSY: 503,
  EGRESS_SECRET_MISSING: 503,
  EGRESS_SECRET_UNFIT: 503,
  EGRESS_VAULT_UNAVAILABLE: 503,
  EGRESS_ADDRESS_REFUSED: 502,
  EGRESS_CERTIFICATE_REFUSED: 502,
  EGRESS_SERVICE_UNAVAILABLE: 502,
  EGRESS_SERVICE_TIMEOUT: 504,
  EGRESS_TOKEN_REFUSED: 502,
  EGRESS_ANSWER_INVALID: 502,
  EGRESS_ANSWER_TOO_LARGE: 502,
  EGRESS_FAILED: 500,
};

/** The status that goes with a code. */
export const statusOf = (code: EgressAnswerCode): number => statuses[code];

/** Why a request is not sent, or has no answer. */
export interface EgressRefusal {
  readonly code: EgressAnswerCode;
  /** In words, for the log. Nothing in it is a value, or longer than a line. */
  readonly reason: string;
}

/** Ends a request from within. */
export class Refused extends Error implements EgressRefusal {
  readonly code: EgressAnswerCode;
  readonly reason: string;

  constructor(code: EgressAnswerCode, reason: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}
