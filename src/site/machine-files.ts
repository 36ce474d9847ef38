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
  const addresses = entries.map(({ path }) => path).filter((path) => path !== notFoundPath);
  const urls = addresses.sort().map((path) => `  <url><loc>${origin}${path}</loc></url>\n`);
  return textFile(
    "/sitemap.xml",
    `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join("")}</urlset>\n`,
  );
}

function textFile(path: string, text: string): SiteFile {
  return { path, bytes: new TextEncoder().encode(text), policy: inertPolicy, immutable: false };
}
