import type { Problems } from "./problems.ts";
import { parseOrigin } from "./url.ts";
import { section } from "./values.ts";

const example = 'cors: { origins: ["https://app.example.com"] },';

/** Reads the foreign origins whose pages may call the API. */
export function parseCors(problems: Problems, value: unknown, own: string): string[] {
  const options = section(problems, "cors", value, ["origins"], example);
  if (options === undefined) return [];
  if (!Array.isArray(options.origins)) {
    problems.add("CONTRACT_OPTION_INVALID", "cors.origins must be a list of origins.", example);
    return [];
  }
  const origins = options.origins.map((entry: unknown, index) =>
    parseOrigin(problems, `cors.origins[${index}]`, entry),
  );
  return [...new Set(origins)].filter((entry) => entry !== own);
}
