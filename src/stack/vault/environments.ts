import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract, EnvironmentName } from "../../contract/index.ts";

/** The environment that a site runs in unless somebody says another: on loopback it is being developed. */
export function environmentOf(
  { origin }: Pick<Contract, "origin">,
  wanted?: EnvironmentName,
): EnvironmentName {
  return wanted ?? (isLoopbackHost(new URL(origin).hostname) ? "development" : "production");
}
