import { isCurtainwallError } from "../../shared/index.ts";

/** What a domain tells of an error: nothing but text crosses to the supervisor. */
export function reasonOf(error: unknown): { code: string; message: string; hint: string | undefined } {
  const known = isCurtainwallError(error) ? error : undefined;
  return { code: known?.code ?? "STACK_DOMAIN_FAILED", message: (error as Error).message, hint: known?.hint };
}
