import { inertPolicy } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import type { ParsedEntry } from "../content/read-entries.ts";
import type { SiteFile } from "../source.ts";

/** Entries in a feed, the newest ones. */
const maxEntries = 50;

/** A feed to be made. */
export interface FeedPlan {
  readonly path: string;
  /** What it is a feed of: `News`, `News: rye`. */
  readonly title: string;
  /** The path of the page that lists the same. */
  readonly home: string;
  readonly locale: string | undefined;
  readonly entries: readonly ParsedEntry[];
}

/**
 * Makes Atom feeds. What they hold went through the sanitiser, and its addresses are absolute.
 *
 * @throws {CurtainwallError} `SITE_FEED_INVALID` for an entry without a title or a date
 * @see RFC 4287
 */
export function makeFeeds(origin: string, plans: readonly FeedPlan[]): SiteFile[] {
  return plans.map((plan) => {
    const dated = plan.entries
      .map((entry): DatedEntry => ({ entry, facts: factsOf(entry) }))
      .sort(
        (left, right) =>
          compare(right.facts.date, left.facts.date) || compare(left.entry.path, right.entry.path),
      );
    const bytes = new TextEncoder().encode(writeFeed(origin, plan, dated.slice(0, maxEntries)));
    return { path: plan.path, bytes, policy: inertPolicy, immutable: false };
  });
}

interface DatedEntry {
  readonly entry: ParsedEntry;
  readonly facts: EntryFacts;
}

interface EntryFacts {
  readonly title: string;
  /** RFC 3339. */
  readonly date: string;
}

const compare = (left: string, right: string): number => (left === right ? 0 : left < right ? -1 : 1);

function factsOf({ data, file }: ParsedEntry): EntryFacts {
  const { title, date } = data as { title?: unknown; date?: unknown };
  const time =
    typeof date === "string" ? Date.parse(date) : date instanceof Date ? date.getTime() : Number.NaN;
  if (typeof title !== "string" || Number.isNaN(time)) {
    throw siteError("SITE_FEED_INVALID", "its collection has a feed, and that needs a title and a date.", {
      place: { file },
      hint: "Write  date: 2026-09-02  in its front matter, and  date: z.iso.date()  in the collection's schema",
    });
  }
  return { title, date: new Date(time).toISOString() };
}

function writeFeed(
  origin: string,
  { path, title, home, locale }: FeedPlan,
  entries: readonly DatedEntry[],
): string {
  // Without an entry there is no time that would be the same in the next build.
  const updated = entries[0]?.facts.date ?? "1970-01-01T00:00:00.000Z";
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"${locale === undefined ? "" : ` xml:lang="${locale}"`}>
<id>${escapeXml(origin + path)}</id>
<title>${escapeXml(`${new URL(origin).host}: ${title}`)}</title>
<author><name>${escapeXml(new URL(origin).host)}</name></author>
<link rel="self" href="${escapeXml(origin + path)}"/>
<link rel="alternate" href="${escapeXml(origin + home)}"/>
<updated>${updated}</updated>
${entries.map((entry) => writeEntry(origin, entry)).join("")}</feed>
`;
}

function writeEntry(origin: string, { entry, facts: { title, date } }: DatedEntry): string {
  const url = origin + entry.path;
  // oxlint-disable-next-line no-underscore-dangle -- Preact's name for markup
  const content = withAbsoluteAddresses(entry.body.__html, url);
  return `<entry>
<id>${escapeXml(url)}</id>
<title>${escapeXml(title)}</title>
<link href="${escapeXml(url)}"/>
<updated>${date}</updated>
<content type="html">${escapeXml(content)}</content>
</entry>
`;
}

/**
 * Makes addresses absolute, since a feed is read elsewhere. In what the sanitiser writes "<" only ever begins a tag, or stands inside the
 * quotes of an attribute, which are taken whole.
 */
export function withAbsoluteAddresses(html: string, base: string): string {
  return html.replaceAll(/<[a-z][a-z0-9]*(?:\s[a-z-]+(?:="[^"]*")?)*>/g, (tag) =>
    tag.replaceAll(/(\s[a-z-]+)="([^"]*)"/g, (attribute, name: string, value: string) => {
      if (name !== " href" && name !== " src") return attribute;
      const url = URL.parse(
        value.replaceAll("&#x26;", "&").replaceAll("&#x27;", "'").replaceAll("&#x60;", "`"),
        base,
      );
      return url === null ? attribute : `${name}="${escapeXml(url.href)}"`;
    }),
  );
}

/** Text for XML. What XML can't say at all, control characters, is left out. */
function escapeXml(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- those that XML 1.0 excludes
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
  );
}
