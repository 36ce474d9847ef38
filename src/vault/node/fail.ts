import { CurtainwallError } from "../../shared/index.ts";
import type { CurtainwallErrorOptions } from "../../shared/index.ts";
import type { VaultErrorCode } from "../errors.ts";

/** An error of this room. No text in it may come from a value, a key or a passphrase. */
export const vaultError = (
  code: VaultErrorCode,
  message: string,
  options: CurtainwallErrorOptions = {},
): CurtainwallError<VaultErrorCode> => new CurtainwallError(code, message, options);

/** The system's name of an error, as `ENOSPC`. */
export const errorCode = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;
