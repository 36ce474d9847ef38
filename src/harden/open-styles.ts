import type { PagePolicy } from "./policy.ts";
import { withDirective, withoutDirectives } from "./policy.ts";

/**
 * The policy with its styles left open, for a page whose scripts put styles into it that nobody has learned yet: hashes would make
 * browsers ignore `'unsafe-inline'` (CSP 3 §6.7.3.2), so they go.
 */
export function openStyles(policy: PagePolicy): PagePolicy {
  const sources = (policy.get("style-src") ?? []).filter(
    (source) => source !== "'none'" && !source.startsWith("'sha"),
  );
  return withDirective(withoutDirectives(policy, "style-src-attr"), "style-src", [
    ...new Set(["'unsafe-inline'", ...sources]),
  ]);
}
