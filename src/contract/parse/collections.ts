import type { ContractSource } from "../contract/site.ts";
import type { Schema } from "../define/schema.ts";
import type { ContractEnvironment } from "../environment.ts";
import { closeObjects } from "../schema.ts";
import type { Problems } from "./problems.ts";
import { parseSource } from "./sources.ts";
import { isMembers, isSchema, quote } from "./values.ts";

/** Collections, by name: what their entries must be, and where those come from that are no files. */
export interface Collections {
  readonly collections: ReadonlyMap<string, Schema>;
  readonly sources: ReadonlyMap<string, ContractSource>;
}

/** Reads what each collection's entries must be. */
export function parseCollections(
  problems: Problems,
  value: unknown,
  environment: ContractEnvironment,
): Collections {
  const collections = new Map<string, Schema>();
  const sources = new Map<string, ContractSource>();
  if (!isMembers(value)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "site.collections must name each collection's front matter.",
      "collections: { pages: z.object({ title: z.string() }) },",
    );
    return { collections, sources };
  }
  for (const [name, member] of Object.entries(value)) {
    const where = `site.collections.${name}`;
    if (isSchema(member)) collections.set(name, closeObjects(member, "refuse"));
    else if (isMembers(member) && member.kind === "source") {
      const parsed = parseSource(problems, where, member, environment);
      if (name === "pages")
        problems.add(
          "CONTRACT_OPTION_INVALID",
          `${where} can't be a source: its pages are the site's root, and files.`,
        );
      else if (parsed !== undefined) sources.set(name, parsed);
      if (isSchema(member.schema)) collections.set(name, closeObjects(member.schema, "strip"));
    } else
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} must be a Zod schema or source(…), not ${quote(member)}.`,
      );
  }
  return { collections, sources };
}
