import { CurtainwallError } from "../shared/index.ts";

/** Codes of the errors of this room. Each has an anchor in `docs/errors.md`. */
export type HostsErrorCode =
  | "HOSTS_SITE_INVALID"
  | "HOSTS_PATH_REFUSED"
  | "HOSTS_HEADER_REFUSED"
  | "HOSTS_LIMIT_EXCEEDED"
  | "HOSTS_OPTION_INVALID";

/** An error of this room. */
export function hostsError(
  code: HostsErrorCode,
  message: string,
  hint: string,
): CurtainwallError<HostsErrorCode> {
  return new CurtainwallError(code, message, { hint });
}

/** A path or value as it may be shown on a terminal: quoted, without control characters, cut. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
