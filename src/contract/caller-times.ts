/** How old a proof of possession may be, in seconds, by its maker's clock; what clocks may differ by comes on top (RFC 9449 §11.1). */
export const proofSeconds = 60;

/** What was revoked longer ago need not be known any more, since no token of that age is accepted: 400 days, in seconds. */
export const longestRememberedSeconds: number = 400 * 86_400;
