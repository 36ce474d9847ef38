import { CurtainwallError } from "../../shared/index.ts";
import type { HardenErrorCode } from "../errors.ts";
import { printable } from "../lock/printable.ts";

/** The directives that a policy of ours may have, in the order in which they are written. */
export const directives = [
  "default-src",
  "script-src",
  "script-src-attr",
  "style-src",
  "style-src-attr",
  "img-src",
  "font-src",
  "media-src",
  "connect-src",
  "frame-src",
  "worker-src",
  "manifest-src",
  "object-src",
  "base-uri",
  "form-action",
  "frame-ancestors",
  "sandbox",
  "require-trusted-types-for",
  "trusted-types",
  "upgrade-insecure-requests",
  "report-uri",
  "report-to",
] as const;

/** The name of a directive. */
export type Directive = (typeof directives)[number];

/**
 * A Content-Security-Policy as a value: what each directive allows. A directive with `'none'` allows nothing; one without sources is
 * a switch, like `upgrade-insecure-requests`.
 */
export type PagePolicy = ReadonlyMap<Directive, readonly string[]>;

/** Collects the sources of a policy. */
export interface PolicyBuilder {
  /** Adds sources to a directive; with none, only the directive. */
  allow(directive: Directive, ...sources: readonly string[]): void;
  /** What is allowed up to now, sorted; a directive that was named and given nothing says `'none'`. */
  build(): PagePolicy;
}

/** Directives that have no sources. */
const switches: ReadonlySet<Directive> = new Set(["sandbox", "upgrade-insecure-requests"]);

/** Creates a policy that allows nothing, to which is added what a page needs. */
export function createPolicyBuilder(): PolicyBuilder {
  const collected = new Map<Directive, Set<string>>();
  const allow: PolicyBuilder["allow"] = (directive, ...sources) => {
    const set = collected.get(directive) ?? new Set();
    collected.set(directive, set);
    for (const source of sources) set.add(source);
  };
  // script-src and object-src are looked for by name, the others have no fallback to default-src.
  for (const directive of ["default-src", "script-src", "object-src", "base-uri", "form-action"] as const)
    allow(directive);
  return {
    allow,
    build() {
      const policy = new Map<Directive, readonly string[]>();
      for (const directive of directives) {
        const sources = collected.get(directive);
        if (sources !== undefined) policy.set(directive, finish(directive, sources));
      }
      return policy;
    },
  };
}

function finish(directive: Directive, sources: ReadonlySet<string>): readonly string[] {
  if (sources.size > 0) return [...sources].sort(byKind);
  return switches.has(directive) ? [] : ["'none'"];
}

/** Keywords, then schemes and hosts, then hashes: what a reader looks for first. */
function byKind(left: string, right: string): number {
  return kindOf(left) - kindOf(right) || (left < right ? -1 : 1);
}

function kindOf(source: string): number {
  if (!source.startsWith("'")) return 1;
  return source.startsWith("'sha") ? 2 : 0;
}

/** A policy without some of its directives. */
export function withoutDirectives(policy: PagePolicy, ...without: readonly Directive[]): PagePolicy {
  return new Map([...policy].filter(([directive]) => !without.includes(directive)));
}

/** A policy with one directive set. */
export function withDirective(
  policy: PagePolicy,
  directive: Directive,
  sources: readonly string[],
): PagePolicy {
  const changed = new Map(policy).set(directive, sources);
  return new Map(
    directives.flatMap((name) => {
      const found = changed.get(name);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}

/**
 * Writes a policy as a header's value.
 *
 * @throws {CurtainwallError} `HARDEN_OPTION_INVALID` for a source that would not be read as one: with white space, `;` or `,`, which
 *   part sources, directives and policies, or with what is no printable ASCII
 */
export function serializePolicy(policy: PagePolicy): string {
  return [...policy]
    .map(([directive, sources]) => [directive, ...sources.map(oneSource)].join(" "))
    .join("; ");
}

/** The last look at what comes from pages: whatever let it into the policy, it stays one source. */
function oneSource(source: string): string {
  if (/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/.test(source)) return source;
  throw new CurtainwallError<HardenErrorCode>(
    "HARDEN_OPTION_INVALID",
    `${printable(JSON.stringify(source), 100)} can't stand in a policy as one source.`,
    { hint: "Write it without spaces, commas and semicolons: %2C and %3B in a path" },
  );
}
