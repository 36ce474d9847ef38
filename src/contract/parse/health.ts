import type { ContractUpstream } from "../contract.ts";
import type { Problems } from "./problems.ts";
import { number, quote } from "./values.ts";
import type { Members } from "./values.ts";

const plainPath = /^\/[\w.~/-]{0,200}$/;

/** Reads what an upstream's addresses are asked for to know whether they work. */
export function parseHealth(
  problems: Problems,
  where: string,
  { health, healthEveryMs }: Members,
): Pick<ContractUpstream, "health"> {
  const everyMs = number(problems, `${where}.healthEveryMs`, healthEveryMs, {
    min: 1000,
    max: 60_000,
    fallback: 5000,
  });
  if (health === undefined) {
    if (healthEveryMs !== undefined)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}.healthEveryMs says how often, but not what is asked for.`,
        'Add  health: "/healthz",',
      );
    return {};
  }
  if (typeof health === "string" && plainPath.test(health)) return { health: { path: health, everyMs } };
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}.health must be a path of letters, digits and -._~/ , not ${quote(health)}.`,
  );
  return {};
}
