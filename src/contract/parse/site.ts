import type { ContractForeignSite, ContractSite } from "../contract/site.ts";
import type { Schema } from "../define/schema.ts";
import type { ContractEnvironment } from "../environment.ts";
import { parseForeignSite } from "./foreign-site.ts";
import { parseCollections } from "./collections.ts";
import { parseImages } from "./images.ts";
import { parseLists, parseTags } from "./lists.ts";
import { parseLocales } from "./locales.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, optionalText, quote, section, text } from "./values.ts";
import type { Members } from "./values.ts";

const ownNames = [
  "content",
  "templates",
  "assets",
  "collections",
  "redirects",
  "feeds",
  "lists",
  "tags",
  "locales",
  "images",
];
const foreignNames = [
  "dist",
  "build",
  "reaches",
  "environment",
  "timeoutMs",
  "insecureUnjailedBuild",
  "insecurePrivateAddresses",
  "learned",
  "insecureEval",
  "allowScripts",
  "insecureAllowScripts",
];

/** Reads what the site is made of: sources of its own, or the output of another generator. */
export function parseSite(
  problems: Problems,
  value: unknown,
  environment: ContractEnvironment,
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
    checkNames(problems, "site", value, [...foreignNames, ...ownNames]);
    return undefined;
  }
  checkNames(problems, "site", value, foreign.length > 0 ? foreignNames : ownNames);
  return foreign.length > 0
    ? parseForeignSite(problems, value)
    : parseContentSite(problems, value, environment);
}

function parseContentSite(
  problems: Problems,
  options: Members,
  environment: ContractEnvironment,
): ContractSite {
  const { collections, sources } = parseCollections(problems, options.collections, environment);
  return {
    content: text(problems, "site.content", options.content),
    templates: text(problems, "site.templates", options.templates),
    assets: optionalText(problems, "site.assets", options.assets),
    collections,
    sources,
    redirects: parseRedirects(problems, options.redirects),
    feeds: parseFeeds(problems, options.feeds, collections),
    lists: parseLists(problems, options.lists, collections),
    tags: parseTags(problems, options.tags, collections),
    locales: parseLocales(problems, options.locales, collections),
    images: parseImages(problems, options.images),
  };
}

/** A path of no page: segments that a file could have too. */
const redirectPath = /^\/(?:[A-Za-z0-9_~][A-Za-z0-9._~-]*(?:\/|$))*$/;
/** A path here, which no browser takes for another host, or an https URL. */
const redirectTarget = /^(?:\/(?![/\\])|https:\/\/[^/\\?#])[\u0021-\u005b\u005d-\u007e]*$/;

function parseRedirects(problems: Problems, value: unknown): ReadonlyMap<string, string> {
  const redirects = new Map<string, string>();
  if (value === undefined) return redirects;
  const rule = (text: string): void =>
    problems.add(
      "CONTRACT_OPTION_INVALID",
      text,
      'redirects: { "/old/": "/new/", "/shop/": "https://shop.example/" },',
    );
  if (!isMembers(value)) {
    rule(`site.redirects must name paths and where they lead, not ${quote(value)}.`);
    return redirects;
  }
  for (const [path, to] of Object.entries(value)) {
    if (!redirectPath.test(path)) rule(`site.redirects: ${quote(path)} is no path of this site.`);
    else if (typeof to !== "string" || !redirectTarget.test(to))
      rule(`site.redirects[${quote(path)}] must be a path of this site or an https URL, not ${quote(to)}.`);
    else redirects.set(path, to);
  }
  return redirects;
}

function parseFeeds(
  problems: Problems,
  value: unknown,
  collections: ReadonlyMap<string, Schema>,
): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === "string" && collections.has(name)))
    return [...new Set(value as string[])];
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `site.feeds must be a list of collections, not ${quote(value)}.`,
    'feeds: ["news"],',
  );
  return [];
}
