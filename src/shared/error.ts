/** Options of {@link CurtainwallError}. */
export interface CurtainwallErrorOptions {
  /** For the operator: what to do about it, or the line to write. Logged, never sent to a requester. */
  hint?: string;
  /** What led to this error. Logged, never sent to a requester. */
  cause?: unknown;
}

/**
 * The one error of the platform. `code` is public API: `ROOM_WHAT_FAILED`, explained in `docs/errors.md`.
 * `message` is safe to send to whoever made the request; `hint` and `cause` are the operator's.
 */
export class CurtainwallError<Code extends string = string> extends Error {
  override readonly name = "CurtainwallError";
  readonly code: Code;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, options: CurtainwallErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Tells whether a caught value is a {@link CurtainwallError}, with this code if one is named. */
export function isCurtainwallError(value: unknown, code?: string): value is CurtainwallError {
  return value instanceof CurtainwallError && (code === undefined || value.code === code);
}
