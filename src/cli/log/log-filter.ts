import type { Severity } from "../../contract/index.ts";
import type { RecordFilter } from "../../ledger/index.ts";
import { CurtainwallError, nearest } from "../../shared/index.ts";
import type { CommandInput, CommandOption } from "../command.ts";

/** Whom a record may be from: a domain, or who operates the site. */
export const sources = ["edge", "vault", "egress", "functions", "supervisor", "ledger", "operator"] as const;

/** Options that say which records are wanted. */
export const filterOptions = {
  event: { type: "string", says: "events by name, with commas between; a last * stands for anything" },
  severity: { type: "string", says: "notice, warning or alert: that and graver" },
  source: { type: "string", says: `from whom: ${sources.join(", ")}` },
  since: { type: "string", says: "from then on: 90s, 15m, 2h, 7d, or a date like 2027-01-31T08:00Z" },
  until: { type: "string", says: "until then, written like --since" },
  route: { type: "string", says: 'of a route: "GET /api/orders/:id"' },
  id: { type: "string", says: "of a request, by the id that its error named, or the beginning of it" },
} satisfies Record<string, CommandOption>;

/** Reads which records are wanted. */
export function readFilter({ values }: Pick<CommandInput, "values">, nowMs: number): RecordFilter {
  const [since, until] = [values.get("since"), values.get("until")];
  const sinceMs = readTime("since", since, nowMs);
  const untilMs = readTime("until", until, nowMs);
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs)
    throw new CurtainwallError("CLI_USAGE_INVALID", `--since ${since} is later than --until ${until}.`, {
      hint: `Did you mean  --since ${until} --until ${since}?`,
    });
  return {
    events: values
      .get("event")
      ?.split(",")
      .map((name) => name.trim()),
    severity: readSeverity(values.get("severity")),
    source: values.get("source"),
    sinceMs,
    untilMs,
    route: values.get("route"),
    id: readId(values.get("id")),
  };
}

function readId(given: string | undefined): string | undefined {
  if (given !== "") return given;
  throw new CurtainwallError("CLI_USAGE_INVALID", "--id takes the id of a request, or its beginning.", {
    hint: "The answer that refused it names it",
  });
}

const severities: readonly Severity[] = ["notice", "warning", "alert"];

function readSeverity(given: string | undefined): Severity | undefined {
  if (given === undefined) return undefined;
  const severity = severities.find((name) => name === given);
  if (severity !== undefined) return severity;
  const meant = nearest(given, severities);
  throw new CurtainwallError("CLI_USAGE_INVALID", "--severity takes notice, warning or alert.", {
    hint:
      meant === undefined
        ? "Each stands for itself and what is graver"
        : `Did you mean  --severity ${meant}?`,
  });
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function readTime(name: string, given: string | undefined, nowMs: number): number | undefined {
  if (given === undefined) return undefined;
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(given) ?? [];
  const time = unit === "" ? readDate(given) : nowMs - Number(count) * (unitsMs[unit] ?? 0);
  if (!Number.isNaN(time)) return time;
  throw new CurtainwallError("CLI_USAGE_INVALID", `--${name} takes a time ago or a date.`, {
    hint: `For example  --${name} 15m  or  --${name} 2027-01-31T08:00Z`,
  });
}

/** Alone, "90" would be read as a year of the last century. */
const readDate = (given: string): number => (/^\d{4}-\d\d/.test(given) ? Date.parse(given) : Number.NaN);
