import type { ContractSite } from "../contract.ts";
import type { Schema } from "../define.ts";
import { closeObjects } from "../schema.ts";
import type { Problems } from "./problems.ts";
import { isMembers, isSchema, optionalText, quote, section, text } from "./values.ts";

/** Reads where the site's sources lie, and what front matter each collection has. */
export function parseSite(problems: Problems, value: unknown): ContractSite | undefined {
  const options = section(problems, "site", value, ["content", "templates", "assets", "collections"]);
  if (options === undefined) return undefined;
  const collections = new Map<string, Schema>();
  if (!isMembers(options.collections)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "site.collections must name each collection's front matter.",
      "collections: { pages: z.object({ title: z.string() }) },",
    );
  } else {
    for (const [name, schema] of Object.entries(options.collections)) {
      if (isSchema(schema)) collections.set(name, closeObjects(schema, "refuse"));
      else
        problems.add(
          "CONTRACT_OPTION_INVALID",
          `site.collections.${name} must be a Zod schema, not ${quote(schema)}.`,
        );
    }
  }
  return {
    content: text(problems, "site.content", options.content),
    templates: text(problems, "site.templates", options.templates),
    assets: optionalText(problems, "site.assets", options.assets),
    collections,
  };
}
