import { wideningOf } from "../../contract/index.ts";
import type { Header } from "../../contract/index.ts";

/** How a served header differs from what was declared. */
export interface HeaderDifference {
  readonly what: "header-missing" | "header-changed" | "header-twice" | "header-added";
  readonly name: string;
  readonly expected?: string | undefined;
  readonly actual?: string | undefined;
  /** What the difference permits, if it is a policy that permits more. */
  readonly permits?: readonly string[];
}

/**
 * Headers that give somebody something: another origin the bytes, a script its reach, a third party news of readers. One that was not
 * declared is a difference; others, like a cache's own, are not.
 */
const granting: ReadonlySet<string> = new Set([
  "accept-ch",
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-allow-private-network",
  "access-control-expose-headers",
  "activate-storage-access",
  "alt-svc",
  "clear-site-data",
  "content-location",
  "content-security-policy-report-only",
  "critical-ch",
  "document-policy",
  "link",
  "nel",
  "observe-browsing-topics",
  "origin-trial",
  "refresh",
  "report-to",
  "reporting-endpoints",
  "service-worker-allowed",
  "set-cookie",
  "set-login",
  "sourcemap",
  "speculation-rules",
  "supports-loading-mode",
  "timing-allow-origin",
  "use-as-dictionary",
  "www-authenticate",
  "x-permitted-cross-domain-policies",
  "x-sourcemap",
]);

/** Compares what a host sent with what was declared for the file. */
export function compareHeaders(declared: readonly Header[], served: readonly Header[]): HeaderDifference[] {
  const differences: HeaderDifference[] = [];
  for (const [name, expected] of declared) {
    const values = served.filter(([other]) => other === name).map(([, value]) => value);
    const actual = values.join(", ");
    if (values.length === 0) differences.push({ what: "header-missing", name, expected });
    else if (values.length > 1 && !isList(name))
      differences.push({ what: "header-twice", name, expected, actual });
    else if (!means(name, expected, actual)) differences.push(changed(name, expected, actual));
  }
  const names = new Set(declared.map(([name]) => name));
  for (const [name, actual] of served) {
    if (!names.has(name) && granting.has(name) && !isHarmless(name, actual))
      differences.push({ what: "header-added", name, actual });
  }
  return differences;
}

const isList = (name: string): boolean => name === "vary" || name === "cache-control";

/** A cache may offer other protocols on the same host, which changes nothing of what is served. */
function isHarmless(name: string, value: string): boolean {
  return (
    name === "alt-svc" &&
    (value === "clear" || value.split(",").every((entry) => /^\s*[\w%.-]+=":\d+"/.test(entry)))
  );
}

/** Whether two values of a header say the same to a browser. */
function means(name: string, expected: string, actual: string): boolean {
  if (expected.trim() === actual.trim()) return true;
  if (name === "content-type") return parts(expected, ";").join(";") === parts(actual, ";").join(";");
  // Who compresses must add to it; what was declared must stay.
  if (name === "vary") return parts(expected, ",").every((part) => parts(actual, ",").includes(part));
  return name === "cache-control" && parts(expected, ",").sort().join() === parts(actual, ",").sort().join();
}

const parts = (value: string, separator: string): string[] =>
  value
    .toLowerCase()
    .split(separator)
    .map((part) => part.trim().replaceAll('"', ""));

function changed(name: string, expected: string, actual: string): HeaderDifference {
  const permits = name === "content-security-policy" ? wideningOf(expected, actual) : [];
  return { what: "header-changed", name, expected, actual, ...(permits.length > 0 ? { permits } : {}) };
}
