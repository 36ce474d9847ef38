import { inertPolicy } from "../../contract/index.ts";
import type { PlannedPage } from "./planned-page.ts";
import type { SiteFile } from "../source.ts";

/** The files that are there for machines. A file of the assets folder takes the place of one. */
export function machineFiles(origin: string, pages: readonly PlannedPage[]): SiteFile[] {
  return [robots(origin), sitemap(origin, pages)];
}

function robots(origin: string): SiteFile {
  return textFile("/robots.txt", `User-agent: *\nAllow: /\n\nSitemap: ${origin}/sitemap.xml\n`);
}

function sitemap(origin: string, pages: readonly PlannedPage[]): SiteFile {
  const listed = pages
    .filter(({ here }) => here.canonical === here.url)
    .sort((left, right) => (left.path < right.path ? -1 : 1));
  const hasAlternates = listed.some(({ here }) => here.alternates.length > 0);
  const urls = listed.map(
    (page) => `  <url><loc>${origin}${page.path}</loc>${lastChange(page)}${alternatesOf(page)}</url>\n`,
  );
  const namespace = hasAlternates ? ' xmlns:xhtml="http://www.w3.org/1999/xhtml"' : "";
  return textFile(
    "/sitemap.xml",
    `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"${namespace}>\n${urls.join("")}</urlset>\n`,
  );
}

/** Other languages are told here too, whatever a template says of them. */
function alternatesOf({ here: { alternates, defaultAlternate } }: PlannedPage): string {
  const all = alternates.map(({ locale, url }) => [locale, url] as const);
  return [...all, ...(defaultAlternate === undefined ? [] : [["x-default", defaultAlternate.url] as const])]
    .map(([locale, url]) => `<xhtml:link rel="alternate" hreflang="${locale}" href="${url}"/>`)
    .join("");
}

/** When a page was last changed, if its front matter says so: `updated`, else `date`. */
function lastChange({ data }: PlannedPage): string {
  const { updated, date } = (data ?? {}) as { updated?: unknown; date?: unknown };
  const day = [updated, date].map(dayOf).find((found) => found !== undefined);
  return day === undefined ? "" : `<lastmod>${day}</lastmod>`;
}

function dayOf(value: unknown): string | undefined {
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  return typeof text === "string" ? /^\d{4}-\d\d-\d\d(?=T|$)/.exec(text)?.[0] : undefined;
}

function textFile(path: string, text: string): SiteFile {
  return { path, bytes: new TextEncoder().encode(text), policy: inertPolicy, immutable: false };
}
