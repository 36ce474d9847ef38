import { scriptAddressProblem } from "../../contract/index.ts";
import type { AllowedScript } from "../../harden/index.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";

/** Options by which a command learns what scripts of a site's pages may add from other sites. */
export const allowOptions: Command["options"] = {
  "allow-script": {
    type: "string",
    reasoned: true,
    says: 'a script of another site that the site\'s scripts may add, and why: https://tags.example/tags.js "tag manager"; may be repeated',
  },
  "insecure-allow-scripts": {
    type: "string",
    reasoned: true,
    says: 'the same for all scripts of an origin, or of a folder of it, and why: https://tags.example/ "loads parts by version"',
  },
};

const isWhole = { "allow-script": false, "insecure-allow-scripts": true } as const;

/**
 * Reads them.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID`
 */
export function readAllowed({ reasoned }: CommandInput, command: Command): AllowedScript[] {
  return Object.entries(isWhole).flatMap(([option, whole]) =>
    (reasoned.get(option) ?? []).map(({ value, reason }) => {
      // A whole origin is often written without its slash.
      const address = whole && URL.parse(value)?.origin === value ? `${value}/` : value;
      const problem = scriptAddressProblem(address, whole);
      if (problem !== undefined) throw usageError(`--${option} ${JSON.stringify(value)} ${problem}`, command);
      if (reason.trim().length < 3)
        throw usageError(`--${option} ${value} takes a reason of some words`, command);
      return { address, reason };
    }),
  );
}
