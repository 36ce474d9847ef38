import type { EnvironmentName } from "../../contract/index.ts";
import { nearest } from "../../shared/index.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";

/** By hand: `start` loads the contract's modules later, with their compiled code. */
const names = ["development", "preview", "production"] as const satisfies readonly EnvironmentName[];

/** The environment that `--environment` names. @throws {CurtainwallError} `CLI_USAGE_INVALID` */
export function environmentNamed(
  name: string | undefined,
  command: Pick<Command, "name" | "usage">,
): EnvironmentName | undefined {
  const known = names.find((environment) => environment === name);
  if (name !== undefined && known === undefined)
    throw usageError(`--environment takes ${names.join(", ")}`, command, nearest(name, names));
  return known;
}
