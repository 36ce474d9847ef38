import type { Permission } from "./permission.ts";
import { toJson } from "./to-json.ts";
import type { Treatments } from "./treatment.ts";

/**
 * Options that are compared as they are written, among them any that nobody said how to treat. One that says nothing is not told, so that locks
 * outlive an update.
 */
export function otherOptions<Parsed extends object>(
  at: string,
  options: Parsed,
  treatments: Treatments<Parsed>,
): Permission[] {
  const found: Permission[] = [];
  for (const [name, value] of Object.entries(options)) {
    const treatment = Object.hasOwn(treatments, name) ? treatments[name as keyof Parsed][0] : "as written";
    if (treatment !== "as written" || value === undefined || value === false) continue;
    const option = toJson(value);
    if (!nothing.has(JSON.stringify(option))) found.push({ at: `${at} ${name}`, permits: { option } });
  }
  return found;
}

const nothing = new Set(["null", "false", "0", '""', "[]", "{}"]);
