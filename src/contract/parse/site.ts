import type { ContractForeignSite, ContractSite } from "../contract.ts";
import type { Schema } from "../define.ts";
import { closeObjects } from "../schema.ts";
import { parseForeignSite } from "./foreign-site.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, isSchema, optionalText, quote, section, text } from "./values.ts";
import type { Members } from "./values.ts";

const ownNames = ["content", "templates", "assets", "collections"];
const foreignNames = [
  "dist",
  "build",
  "reaches",
  "environment",
  "timeoutMs",
  "insecureUnjailedBuild",
  "insecurePrivateAddresses",
];

/** Reads what the site is made of: sources of its own, or the output of another generator. */
export function parseSite(
  problems: Problems,
  value: unknown,
): ContractSite | ContractForeignSite | undefined {
  if (!isMembers(value)) {
    section(problems, "site", value, []);
    return undefined;
  }
  const given = Object.keys(value).filter((name) => value[name] !== undefined);
  const own = given.filter((name) => ownNames.includes(name));
  const foreign = given.filter((name) => foreignNames.includes(name));
  if (own[0] !== undefined && foreign[0] !== undefined) {
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `site has options of two kinds of sites: "${own[0]}" and "${foreign[0]}".`,
      'Write  site: { content, templates, collections }  for Markdown and templates, or  site: { dist: "dist", build: "npm run build" }  for another generator',
    );
  }
  if (own.length + foreign.length === 0 && given.length > 0) {
    checkNames(problems, "site", value, [...ownNames, ...foreignNames]);
    return undefined;
  }
  checkNames(problems, "site", value, foreign.length > 0 ? foreignNames : ownNames);
  return foreign.length > 0 ? parseForeignSite(problems, value) : parseContentSite(problems, value);
}

function parseContentSite(problems: Problems, options: Members): ContractSite {
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
