import { isCurtainwallError } from "../../shared/index.ts";

/** What the vault tells of an error: text of ours, and nothing of an error that is not ours, which may quote what it was given. */
export function refusal(error: unknown): { code: string; message: string; hint: string | undefined } {
  if (!isCurtainwallError(error))
    return {
      code: "STACK_DOMAIN_FAILED",
      message: `The vault could not do that: ${(error as NodeJS.ErrnoException).code ?? "a mistake of ours"}.`,
      hint: undefined,
    };
  return { code: error.code, message: error.message, hint: error.hint };
}
