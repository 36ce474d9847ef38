import type { Directive } from "../policy/policy.ts";
import type { LearnedSite } from "./learned-site.ts";
import { classesOf, sortFindings } from "./propose.ts";
import type { Finding, Proposal } from "./propose.ts";

/**
 * Adds what a run has shown to what runs before it had: a run under policies that are learned already shows only what they lack.
 *
 * @param pages files of the pages that the site has: of others nothing is kept
 * @param isAllowed tells of scripts that were a finding, and may be added by now
 */
export function mergeLearned(
  before: LearnedSite,
  now: Proposal,
  pages: ReadonlySet<string>,
  isAllowed: (address: string) => boolean = () => false,
): Proposal {
  const all = new Map<string, Map<Directive, Set<string>>>();
  const add = (page: string, allow: Iterable<readonly [Directive, readonly string[]]>): void => {
    if (!pages.has(page)) return;
    const known = all.get(page) ?? new Map<Directive, Set<string>>();
    all.set(page, known);
    for (const [directive, sources] of allow)
      known.set(directive, new Set([...(known.get(directive) ?? []), ...sources]));
  };
  for (const [page, sources] of before.pages) add(page, sources);
  for (const { pages: names, allow } of now.classes)
    for (const page of names) add(page, Object.entries(allow) as [Directive, readonly string[]][]);
  return {
    classes: classesOf(all),
    findings: mergeFindings(before.findings ?? [], now.findings, pages, isAllowed),
  };
}

function mergeFindings(
  before: readonly Finding[],
  now: readonly Finding[],
  pages: ReadonlySet<string>,
  isAllowed: (address: string) => boolean,
): Finding[] {
  const all = new Map<string, Omit<Finding, "pages"> & { pages: Set<string> }>();
  for (const { directive, blocked, reason, sample, pages: names } of [...before, ...now]) {
    if (directive.startsWith("script-src") && isAllowed(blocked)) continue;
    const key = JSON.stringify([directive, blocked, reason, sample]);
    const known = all.get(key) ?? { directive, blocked, reason, sample, pages: new Set<string>() };
    for (const page of names) if (pages.has(page)) known.pages.add(page);
    if (known.pages.size > 0) all.set(key, known);
  }
  return sortFindings(all);
}
