import { CurtainwallError } from "../../shared/index.ts";
import type { HardenErrorCode } from "../errors.ts";

/** An error of this room. */
export function hardenError(
  code: HardenErrorCode,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError(code, message, options);
}

/** A file's name as a terminal may show it: without control characters, cut. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 160 ? `${name.slice(0, 160)}…` : name);
}
