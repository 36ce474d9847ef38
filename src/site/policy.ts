import { richTextPolicy } from "./islands/names.ts";

/** What a page needs of a browser, as found in the finished page. Hashes are base64 of SHA-256. */
export interface PolicyFacts {
  /** Of inline scripts and of linked ones, whose `integrity` names them. */
  readonly scriptHashes: ReadonlySet<string>;
  readonly inlineStyleHashes: ReadonlySet<string>;
  readonly linkedStyles: boolean;
  readonly images: boolean;
  readonly fonts: boolean;
  readonly media: boolean;
  readonly manifest: boolean;
  readonly forms: boolean;
  /** Its scripts may call the API. */
  readonly connects: boolean;
  /** Its scripts make markup through the sanitiser, under the Trusted Types policy of that. Default false. */
  readonly makesHtml?: boolean;
}

/**
 * The Content-Security-Policy of one page: nothing but what is on it, by exact hash where browsers know hashes.
 *
 * Scripts are allowed by hash only, linked ones too; linked styles can't be (`docs/decisions/010-page-policy.md`).
 *
 * @see Content Security Policy Level 3 §6.1 (directives), §8.4 (external scripts by hash)
 */
export function pagePolicy(facts: PolicyFacts): string {
  const directives: [name: string, sources: string[]][] = [
    ["script-src", hashes(facts.scriptHashes)],
    ["style-src", [...own(facts.linkedStyles), ...hashes(facts.inlineStyleHashes)]],
    ["img-src", own(facts.images)],
    ["font-src", own(facts.fonts)],
    ["media-src", own(facts.media)],
    ["manifest-src", own(facts.manifest)],
    ["connect-src", own(facts.connects)],
  ];
  return [
    "default-src 'none'",
    ...directives
      .filter(([, sources]) => sources.length > 0)
      .map(([name, sources]) => `${name} ${sources.join(" ")}`),
    // These have no fallback to default-src, or are looked for by name.
    ...(facts.scriptHashes.size === 0 ? ["script-src 'none'"] : []),
    "object-src 'none'",
    "base-uri 'none'",
    `form-action ${facts.forms ? "'self'" : "'none'"}`,
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    `trusted-types ${facts.makesHtml === true ? richTextPolicy : "'none'"}`,
    "upgrade-insecure-requests",
  ].join("; ");
}

const own = (needed: boolean): string[] => (needed ? ["'self'"] : []);
const hashes = (set: ReadonlySet<string>): string[] => [...set].sort().map((hash) => `'sha256-${hash}'`);
