import type { ContractForeignSite } from "../contract/site.ts";
import { scriptAddressProblem } from "../addresses/script-address.ts";
import type { Problems } from "./problems.ts";
import { isMembers, quote, weakened } from "./values.ts";
import type { Members } from "./values.ts";

/** Reads which scripts of other sites the pages' own scripts may add. */
export function parseAllowedScripts(
  problems: Problems,
  { allowScripts, insecureAllowScripts }: Members,
): ContractForeignSite["allowScripts"] {
  return [
    ...parseList(problems, "site.allowScripts", allowScripts, false),
    ...parseList(problems, "site.insecureAllowScripts", insecureAllowScripts, true),
  ];
}

function parseList(
  problems: Problems,
  where: string,
  value: unknown,
  whole: boolean,
): { address: string; reason: string }[] {
  if (value === undefined) return [];
  const example = `${whole ? "insecureAllowScripts" : "allowScripts"}: { "https://tags.example/${whole ? "" : "tags.js"}": "why it is needed" },`;
  if (!isMembers(value)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must name addresses, each with a reason, not ${quote(value)}.`,
      example,
    );
    return [];
  }
  return Object.entries(value).flatMap(([address, reason]) => {
    const at = `${where}[${quote(address)}]`;
    const problem = scriptAddressProblem(address, whole);
    if (problem !== undefined) {
      problems.add("CONTRACT_OPTION_INVALID", `${at} ${problem}.`, `Write it like  ${example}`);
      return [];
    }
    if (whole) return weakened(problems, at, reason) ? [{ address, reason: String(reason) }] : [];
    if (typeof reason === "string" && reason.trim().length >= 3) return [{ address, reason }];
    problems.add("CONTRACT_REASON_MISSING", `${at} must say why it is needed, in words.`, example);
    return [];
  });
}
