import { CurtainwallError } from "../../shared/index.ts";

/** Codes of {@link ApiError}. */
export type ApiErrorCode =
  | "CLIENT_ROUTE_UNKNOWN"
  | "CLIENT_INPUT_INVALID"
  | "CLIENT_UNREACHABLE"
  | "CLIENT_TIMED_OUT"
  | "CLIENT_ABORTED"
  | "CLIENT_REFUSED"
  | "CLIENT_ANSWER_INVALID";

/** What an {@link ApiError} knows of the answer, as far as there was one. */
export interface ApiErrorDetails {
  /** Of the HTTP answer. */
  status?: number | undefined;
  /** The gateway's id of the request: what a visitor can name, and an operator finds in the log. */
  requestId?: string | undefined;
  /** The gateway's own code, like `GATEWAY_LIMIT_REACHED`. */
  reason?: string | undefined;
  /** How long to wait before another try makes sense. */
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/** Why a call of the API gave nothing. `code` says what kind of failure it is; there is no other error that a call throws. */
export class ApiError extends CurtainwallError<ApiErrorCode> {
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ApiErrorCode, message: string, details: ApiErrorDetails = {}) {
    super(code, message, details.cause === undefined ? {} : { cause: details.cause });
    this.status = details.status;
    this.requestId = details.requestId;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}
