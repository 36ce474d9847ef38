/** A Content-Security-Policy, parsed: the first of two directives with one name counts (CSP3 §2.2.1). */
export type Policy = ReadonlyMap<string, readonly string[]>;

/** Parses a policy. */
export function parsePolicy(text: string): Policy {
  const policy = new Map<string, string[]>();
  for (const part of text.split(";")) {
    const [name, ...sources] = part.trim().split(/\s+/);
    if (name === undefined || name === "" || policy.has(name.toLowerCase())) continue;
    policy.set(name.toLowerCase(), sources);
  }
  return policy;
}

const required = ["default-src", "base-uri", "object-src", "frame-ancestors", "form-action"] as const;
const forbidden = new Set([
  "'unsafe-inline'",
  "'unsafe-eval'",
  "'unsafe-hashes'",
  "'unsafe-hashed-attributes'",
  "'wasm-unsafe-eval'",
]);
const schemes = new Set(["https:", "http:", "ws:", "wss:", "data:", "blob:", "filesystem:"]);
/** Where a scheme as a source can't run anything. */
const inert = new Set(["img-src", "font-src", "media-src"]);

/** Lists what is wrong with a page's policy. */
export function policyFaults(policy: Policy): string[] {
  const faults: string[] = [];
  for (const name of required) {
    // object-src falls back to default-src; the others fall back to nothing, that is to everything.
    if (!policy.has(name) && !(name === "object-src" && isNone(policy.get("default-src"))))
      faults.push(`${name} is missing`);
  }
  if (!policy.has("script-src") && !policy.has("default-src")) faults.push("nothing restricts scripts");
  if (!policy.get("require-trusted-types-for")?.includes("'script'"))
    faults.push("Trusted Types are not required");
  for (const [name, sources] of policy) {
    for (const source of sources) {
      const lower = source.toLowerCase();
      if (forbidden.has(lower)) faults.push(`${name} has ${lower}`);
      else if (lower.includes("*")) faults.push(`${name} has the wildcard ${source}`);
      else if (lower === "'allow-duplicates'" || !schemes.has(lower)) continue;
      else if (!(inert.has(name) && lower === "data:")) faults.push(`${name} has the scheme ${source}`);
    }
  }
  return faults;
}

const isNone = (sources: readonly string[] | undefined): boolean =>
  sources?.length === 1 && sources[0] === "'none'";
