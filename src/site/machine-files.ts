import { inertPolicy } from "../contract/index.ts";
import { notFoundPath } from "./paths.ts";
import type { SiteFile } from "./source.ts";
import type { Entry } from "./template.ts";

/** The files that are there for machines. A file of the assets folder takes the place of one. */
export function machineFiles(origin: string, entries: readonly Entry[]): SiteFile[] {
  return [robots(origin), sitemap(origin, entries)];
}

function robots(origin: string): SiteFile {
  return textFile("/robots.txt", `User-agent: *\nAllow: /\n\nSitemap: ${origin}/sitemap.xml\n`);
}

function sitemap(origin: string, entries: readonly Entry[]): SiteFile {
  const urls = entries
    .filter(({ path }) => path !== notFoundPath)
    .sort((left, right) => (left.path < right.path ? -1 : 1))
    .map((entry) => `  <url><loc>${origin}${entry.path}</loc>${lastChange(entry)}</url>\n`);
  return textFile(
    "/sitemap.xml",
    `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join("")}</urlset>\n`,
  );
}

/** When a page was last changed, if its front matter says so: `updated`, else `date`. */
function lastChange({ data }: Entry): string {
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
