import type { ContractList, ContractTags } from "../contract/site.ts";
import type { Problems } from "./problems.ts";
import { isMembers, number, optionalText, quote, section } from "./values.ts";
import type { Members } from "./values.ts";

const listNames = ["size", "by", "order"];

/** Reads which collections have a list in pages. */
export function parseLists(
  problems: Problems,
  value: unknown,
  collections: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, ContractList> {
  const lists = new Map<string, ContractList>();
  for (const [name, member] of collectionsIn(problems, "site.lists", value, collections)) {
    const where = `site.lists.${name}`;
    const options = section(problems, where, member, listNames) ?? {};
    if (name === "pages")
      problems.add("CONTRACT_OPTION_INVALID", `${where}: its list would stand at the site's first page.`);
    lists.set(name, parseList(problems, where, options));
  }
  return lists;
}

/** Reads which collections have pages for their tags. */
export function parseTags(
  problems: Problems,
  value: unknown,
  collections: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, ContractTags> {
  const tags = new Map<string, ContractTags>();
  for (const [name, member] of collectionsIn(problems, "site.tags", value, collections)) {
    const where = `site.tags.${name}`;
    const options = section(problems, where, member, [...listNames, "feeds", "slugs"]) ?? {};
    const { feeds = false } = options;
    if (typeof feeds !== "boolean")
      problems.add("CONTRACT_OPTION_INVALID", `${where}.feeds must be true or false, not ${quote(feeds)}.`);
    tags.set(name, {
      ...parseList(problems, where, options),
      feeds: feeds === true,
      slugs: parseSlugs(problems, `${where}.slugs`, options.slugs),
    });
  }
  return tags;
}

function collectionsIn(
  problems: Problems,
  where: string,
  value: unknown,
  collections: ReadonlyMap<string, unknown>,
): [string, unknown][] {
  if (value === undefined) return [];
  const unknown = isMembers(value) ? Object.keys(value).find((name) => !collections.has(name)) : value;
  if (isMembers(value) && unknown === undefined) return Object.entries(value);
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must have options by collection; there is no collection ${quote(unknown)}.`,
    `${where.replace("site.", "")}: { news: { size: 10, by: "date", order: "descending" } },`,
  );
  return [];
}

function parseList(problems: Problems, where: string, options: Members): ContractList {
  const { order = "ascending" } = options;
  if (order !== "ascending" && order !== "descending")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.order must be "ascending" or "descending", not ${quote(order)}.`,
    );
  return {
    size: number(problems, `${where}.size`, options.size, { min: 1, max: 1000, fallback: 20 }),
    by: optionalText(problems, `${where}.by`, options.by),
    order: order === "descending" ? "descending" : "ascending",
  };
}

function parseSlugs(problems: Problems, where: string, value: unknown): ReadonlyMap<string, string> {
  const slugs = new Map<string, string>();
  for (const [tag, slug] of Object.entries(isMembers(value) ? value : {})) {
    if (typeof slug === "string" && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(slug)) slugs.set(tag, slug);
    else
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}[${quote(tag)}] must be small letters, digits and single hyphens, not ${quote(slug)}.`,
      );
  }
  if (value !== undefined && !isMembers(value))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must name tags and their addresses, not ${quote(value)}.`,
    );
  return slugs;
}
