import type { Directive, PagePolicy } from "./policy.ts";
import { withDirective } from "./policy.ts";

/** What has to stay open on a page because its scripts do not show what they do there. */
export interface Openings {
  /** Schemes and origins that may be connected to. */
  readonly connections: Set<string>;
  /** Any text in style elements. */
  styleElements: boolean;
  /** Any value of `style=`. */
  styleAttributes: boolean;
}

/** The policy with what is open added: as it is enforced until somebody has learned what the scripts really do. */
export function openPolicy(strict: PagePolicy, open: Openings): PagePolicy {
  let policy = strict;
  if (open.connections.size > 0)
    policy = withDirective(policy, "connect-src", [
      ...new Set([...open.connections, ...withoutNone(policy.get("connect-src"))]),
    ]);
  if (open.styleElements) {
    // Hashes would make browsers ignore 'unsafe-inline' (CSP 3 §6.7.3.2), so they go; attributes must not fall back to it.
    const attributes = policy.get("style-src-attr") ?? ["'none'"];
    const sources = withoutNone(policy.get("style-src")).filter((source) => !source.startsWith("'sha"));
    policy = withDirective(policy, "style-src", ["'unsafe-inline'", ...sources]);
    policy = withDirective(policy, "style-src-attr", attributes);
  }
  return open.styleAttributes ? withDirective(policy, "style-src-attr", ["'unsafe-inline'"]) : policy;
}

/**
 * What is only reported: the strict form of each directive that is open, so that its use is told, not stopped; and Trusted Types
 * where they can't be enforced. Undefined if all is enforced already.
 */
export function reportOnlyPolicy(strict: PagePolicy, enforced: PagePolicy): PagePolicy | undefined {
  const policy = new Map<Directive, readonly string[]>();
  for (const directive of ["style-src", "style-src-attr", "connect-src"] as const) {
    const sources = strict.get(directive) ?? ["'none'"];
    if (enforced.get(directive) === undefined || enforced.get(directive)?.join(" ") === sources.join(" "))
      continue;
    // The site's own addresses are what is connected to most, and tell nothing that one would look for.
    const own = directive === "connect-src" ? ["'self'", ...withoutNone(sources)] : sources;
    policy.set(directive, [...new Set(own)]);
  }
  if (!enforced.has("require-trusted-types-for")) {
    policy.set("require-trusted-types-for", ["'script'"]);
    policy.set("trusted-types", ["'none'"]);
  }
  if (policy.size === 0) return undefined;
  for (const directive of ["report-uri", "report-to"] as const)
    policy.set(directive, strict.get(directive) ?? []);
  return policy;
}

const withoutNone = (sources: readonly string[] = []): readonly string[] =>
  sources.filter((source) => source !== "'none'");
