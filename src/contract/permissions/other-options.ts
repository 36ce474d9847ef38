import type { Permission } from "./permission.ts";
import { toJson } from "./to-json.ts";

/** Options that came later than this, as they are written. One that says nothing is not told, so that locks outlive an update. */
export function otherOptions(at: string, options: object, names: ReadonlySet<string>): Permission[] {
  return Object.entries(options)
    .filter(([name, value]) => !names.has(name) && value !== undefined)
    .map(([name, value]) => ({ at: `${at} ${name}`, permits: { option: toJson(value) } }))
    .filter(({ permits }) => !nothing.has(JSON.stringify(permits)));
}

const nothing = new Set(["null", "false", "0", '""', "[]", "{}"].map((text) => `{"option":${text}}`));
