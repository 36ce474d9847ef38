import { CurtainwallError, nearest } from "../shared/index.ts";

/** An item of the checklist: see `docs/checklist.md`, which a test holds to these ids and titles. */
export interface ChecklistItem {
  id: string;
  title: string;
  /** Checks named for it that no rule makes yet, with what they wait for. Empty where a rule makes them all. */
  awaiting: readonly { name: string; kind: "source" | "built" | "live"; missing: string }[];
}

const awaits =
  (capability: string) =>
  (
    ...checks: readonly (readonly [kind: "source" | "built" | "live", name: string])[]
  ): ChecklistItem["awaiting"] =>
    checks.map(([kind, name]) => ({ kind, name, missing: `comes with ${capability}` }));

const graphql = awaits("GraphQL in the gateway");
const content = awaits("the content room and its write API");
const supply = awaits("the dependency inventory and its advisory feed");
const scanner = awaits("the scan of sources and their history");
const rotation = awaits("rotation of secrets");
const alerts = awaits("the ledger's alerts");
const operations = awaits("incident plan, lockdown and drill in the contract");

/** The 24 items, in the order of the checklist. */
export const checklist: readonly ChecklistItem[] = [
  { id: "API-1", title: "Every endpoint authenticates and authorises", awaiting: [] },
  { id: "API-2", title: "Rate limiting and throttling", awaiting: [] },
  { id: "API-3", title: "Input validation on body, parameters and query", awaiting: [] },
  { id: "API-4", title: "No keys or tokens in client code", awaiting: [] },
  { id: "API-5", title: "CORS allow-list", awaiting: [] },
  {
    id: "API-6",
    title: "GraphQL: introspection and depth",
    awaiting: graphql(
      ["live", "introspection by POST, GET and batch"],
      ["live", "suggestions"],
      ["live", "fragment cycles and bombs"],
      ["live", "alias floods"],
      ["live", "measured CPU"],
    ),
  },
  { id: "API-7", title: "No leaks in errors", awaiting: [] },
  { id: "API-8", title: "HTTPS with TLS 1.3", awaiting: [] },
  {
    id: "FE-1",
    title: "Cross-site scripting: encoding and framework defaults",
    awaiting: content(["source", "sinks"]),
  },
  { id: "FE-2", title: "Strict Content-Security-Policy", awaiting: [] },
  {
    id: "FE-3",
    title: "Third-party libraries scanned",
    awaiting: supply(
      ["built", "a planted vulnerable dependency fails the build"],
      ["built", "age of the feed"],
    ),
  },
  { id: "FE-4", title: "Security headers", awaiting: [] },
  {
    id: "FE-5",
    title: "User content sanitised",
    awaiting: content(["live", "published vectors through the write API, rendered and round-tripped"]),
  },
  { id: "FE-6", title: "No secrets or sensitive logic in bundles", awaiting: [] },
  {
    id: "SEC-1",
    title: "Nothing hard-coded",
    awaiting: scanner(["source", "secrets in the tree"], ["source", "secrets in git's history"]),
  },
  { id: "SEC-2", title: ".env kept out of version control", awaiting: [] },
  { id: "SEC-3", title: "A secrets manager in production", awaiting: [] },
  {
    id: "SEC-4",
    title: "Rotation, automated",
    awaiting: rotation(
      ["live", "version age within policy"],
      ["live", "rotation under load with 0 failed requests"],
      ["live", "the old key refused after grace"],
    ),
  },
  { id: "SEC-5", title: "Least privilege", awaiting: [] },
  { id: "MON-1", title: "Logging, front and back end", awaiting: [] },
  {
    id: "MON-2",
    title: "Real-time alerts",
    awaiting: alerts(
      ["live", "a synthetic attack reaches a sink"],
      ["live", "a quiet control does not"],
      ["live", "a dead sink is an alarm"],
    ),
  },
  {
    id: "MON-3",
    title: "Incident response plan, reviewed",
    awaiting: operations(
      ["source", "present and in date"],
      ["source", "its commands exist"],
      ["source", "last drill's record"],
    ),
  },
  {
    id: "MON-4",
    title: "Audits and penetration tests scheduled",
    awaiting: awaits("scheduled audits")(
      ["source", "a schedule exists"],
      ["source", "the last signed report is recent"],
    ),
  },
  {
    id: "MON-5",
    title: "Dependencies watched for known vulnerabilities",
    awaiting: supply(["live", "an injected advisory alerts in time"], ["live", "a stale feed is a finding"]),
  },
];

/**
 * Finds the rows that were asked for, whatever their case.
 *
 * @throws {CurtainwallError} `AUDIT_TARGET_INVALID` with the ids that there are
 */
export function chooseRows(ids: readonly string[]): ReadonlySet<string> {
  return new Set(ids.map(chooseRow));
}

function chooseRow(asked: string): string {
  const known = checklist.map(({ id }) => id);
  const found = known.find((id) => id === asked.trim().toUpperCase());
  if (found !== undefined) return found;
  const meant = nearest(asked, known);
  throw new CurtainwallError(
    "AUDIT_TARGET_INVALID",
    `There is no row "${asked}"${meant === undefined ? "" : ` (did you mean ${meant}?)`}. Rows: ${known.join(", ")}`,
  );
}
