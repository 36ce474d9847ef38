import type { SourceNext } from "../source.ts";
import type { Problems } from "./problems.ts";
import { isFields, number, quote, section, text } from "./values.ts";

/** Reads how an answer of a source leads to the next one. */
export function parseNext(problems: Problems, where: string, value: unknown): SourceNext | undefined {
  if (value === undefined) return undefined;
  const all = ["link", "page", "first", "offset", "size", "cursor", "parameter", "more"];
  const options = section(problems, where, value, all);
  if (options === undefined) return undefined;
  const kinds = (["link", "page", "offset", "cursor"] as const).filter((kind) => options[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must say one of link, page, offset and cursor.`,
      'next: { cursor: ["data", "items", "pageInfo", "endCursor"], parameter: "after" },  or  next: { page: "page" }',
    );
  }
  const fields = (name: string): readonly string[] => {
    const found = options[name];
    if (isFields(found) && found.length > 0) return found;
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.${name} must be a list of fields, not ${quote(found)}.`,
    );
    return [];
  };
  const unused = Object.keys(options).find((name) => !(allowed[kind] as readonly string[]).includes(name));
  if (unused !== undefined)
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${unused} means nothing beside ${kind}.`);
  const sized = (): { size?: number } =>
    options.size === undefined
      ? {}
      : { size: number(problems, `${where}.size`, options.size, { min: 1, max: 100_000, fallback: 1 }) };
  if (kind === "link") return { link: fields("link") };
  if (kind === "cursor") {
    return {
      cursor: fields("cursor"),
      parameter: text(problems, `${where}.parameter`, options.parameter),
      ...(options.more === undefined ? {} : { more: fields("more") }),
    };
  }
  if (kind === "offset") return { offset: text(problems, `${where}.offset`, options.offset), ...sized() };
  const first = number(problems, `${where}.first`, options.first, { min: 0, max: 1, fallback: 1 });
  return { page: text(problems, `${where}.page`, options.page), first: first === 0 ? 0 : 1, ...sized() };
}

const allowed = {
  link: ["link"],
  page: ["page", "first", "size"],
  offset: ["offset", "size"],
  cursor: ["cursor", "parameter", "more"],
} as const;
