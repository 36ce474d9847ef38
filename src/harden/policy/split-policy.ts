import type { Directive, PagePolicy } from "./policy.ts";
import { serializePolicy, withDirective, withoutDirectives } from "./policy.ts";

/** What a host can send in one header. */
export interface PolicyBudget {
  /** The longest value of a header, in bytes. */
  readonly maxBytes: number;
  /**
   * Every page gets the same header, because the host knows too few rules for one a page. Default false.
   */
  readonly shared?: boolean;
}

/** A policy in two parts, both enforced: together as strict as the whole. */
export interface SplitPolicy {
  /** What the response header carries. */
  readonly header: PagePolicy;
  /** What stands in a `<meta>`, first in the page's head; undefined if the header carries everything. */
  readonly meta: PagePolicy | undefined;
}

/** What browsers ignore in a `<meta>` (CSP 3 §4.2.5, HTML §4.2.5.3). */
const headerOnly: readonly Directive[] = ["frame-ancestors", "sandbox", "report-uri", "report-to"];

/**
 * Fetch directives that are looked up in `default-src`, and nowhere before, when they are missing. Not `worker-src`: that falls back to
 * `script-src`, which the `<meta>` has.
 */
const fetchDirectives: readonly Directive[] = [
  "img-src",
  "font-src",
  "media-src",
  "connect-src",
  "frame-src",
  "manifest-src",
  "object-src",
];

/** What holds hashes, and so can be long. */
const longDirectives: readonly Directive[] = ["script-src", "script-src-attr", "style-src", "style-src-attr"];

/**
 * Parts a policy between the header and a `<meta>` when the header alone can't carry it. Browsers enforce both, and what either
 * forbids is forbidden, so nothing is widened: the `<meta>` says everything that it can say, the header the rest, and again all that
 * is short. Directives that the header leaves out must not fall back to a `default-src` there, so it names them all instead.
 */
export function splitPolicy(policy: PagePolicy, budget: PolicyBudget): SplitPolicy {
  if (budget.shared !== true && lengthOf(policy) <= budget.maxBytes)
    return { header: policy, meta: undefined };
  const meta = withoutDirectives(policy, ...headerOnly);
  const rest = spelledOut(policy);
  if (budget.shared === true) return { header: commonPart(policy), meta };
  return { header: lengthOf(rest) <= budget.maxBytes ? rest : commonPart(policy), meta };
}

/** The policy without its long directives, and with what `default-src` stood for written out. */
function spelledOut(policy: PagePolicy): PagePolicy {
  const fallback = policy.get("default-src") ?? [];
  let short = withoutDirectives(policy, "default-src", ...longDirectives);
  for (const directive of fetchDirectives)
    if (!short.has(directive)) short = withDirective(short, directive, fallback);
  return short;
}

/** What every page of a site has in common: only what a `<meta>` can't say, and what no page ever allows. */
function commonPart(policy: PagePolicy): PagePolicy {
  const common = new Map([...policy].filter(([directive]) => headerOnly.includes(directive)));
  return policy.has("upgrade-insecure-requests")
    ? withDirective(common, "upgrade-insecure-requests", [])
    : common;
}

const lengthOf = (policy: PagePolicy): number => new TextEncoder().encode(serializePolicy(policy)).length;
