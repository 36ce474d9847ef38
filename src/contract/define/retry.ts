/** What a route says of its requests being sent to the upstream again. */
export interface RetryOption {
  /**
   * Whether a request may be done twice, for PUT and DELETE; for POST and PATCH too if the route takes an `idempotency-key` header, by which the
   * upstream knows it again. Default: false, but for GET.
   */
  idempotent?: boolean;
}
