import { sha256, toHex } from "../../shared/index.ts";
import { printable } from "../evidence.ts";
import type { Evidence, ExchangeEvidence } from "../evidence.ts";
import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { isNotYet } from "./not-yet.ts";
import { failingEvidence, worstChecksFirst, worstRowsFirst } from "./order.ts";
import { placeOf, subjectOf } from "./place.ts";
import type { Place } from "./place.ts";
import { rowCounts } from "./row-counts.ts";
import { ruleId } from "./rule-id.ts";

type Json = Record<string, unknown>;

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** One check that was named for a row, with its number among the rules. */
interface Entry {
  row: AuditRow;
  check: AuditCheck;
  id: string;
  index: number;
}

/** An item of the checklist that is unknown, or of which something was not made that whoever reads it can have made. */
interface OpenRow {
  row: AuditRow;
  /** Why, check by check or of the whole. */
  why: string;
  /** `review`: there is nothing to check, and whether that is so is for somebody to say. */
  kind: "open" | "review";
  id: string;
  index: number;
}

/**
 * Writes a report as SARIF 2.1.0: a rule for each check, a result for each finding, at the place in the contract where it is mended. What
 * could not be made is a notification of the run for each check, and for each item one result that is `open`, and no failure: viewers show
 * results alone.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export async function toSarif(report: AuditReport): Promise<string> {
  const entries = entriesOf(report);
  const open = openRowsOf(report, entries.length);
  const results = [
    ...(await Promise.all(entries.map((entry) => resultsOf(report, entry)))).flat(),
    ...(await Promise.all(open.map((one) => openResultOf(report, one)))),
  ];
  const end = new Date(Date.parse(report.startedAt) + report.durationMs).toISOString();
  const run = {
    tool: {
      driver: {
        name: "curtainwall",
        ...versionOf(report),
        rules: [...entries.map(ruleOf), ...open.map(openRuleOf)],
      },
    },
    automationDetails: { id: "curtainwall/audit/" },
    columnKind: "utf16CodeUnits",
    originalUriBaseIds: { "%SRCROOT%": { description: { text: "The root of the repository." } } },
    invocations: [
      {
        executionSuccessful: true,
        startTimeUtc: report.startedAt,
        endTimeUtc: end,
        toolExecutionNotifications: entries.flatMap(notificationOf),
      },
    ],
    results,
    properties: { target: report.target, summary: report.summary },
  };
  return `${JSON.stringify({ $schema: schema, version: "2.1.0", runs: [run] }, boundText, 2)}\n`;
}

/** Whoever made the report: nothing acts on a terminal, and no text is longer than anybody reads. */
const boundText = (_: string, value: unknown): unknown =>
  typeof value === "string" ? printable(value, maxText) : value;

const maxText = 4000;

function entriesOf({ rows }: AuditReport): Entry[] {
  const known = new Set<string>();
  return worstRowsFirst(rows)
    .flatMap((row) => worstChecksFirst(row.checks).map((check) => ({ row, check })))
    .flatMap(({ row, check }) => {
      const id = ruleId(row.id, check.name);
      if (known.has(id)) return [];
      known.add(id);
      return [{ row, check, id, index: known.size - 1 }];
    });
}

function versionOf({ tool }: AuditReport): Json {
  const version = /(\d+\.\d+\.\d+\S*)$/.exec(tool ?? "")?.[1];
  return version === undefined ? {} : { semanticVersion: version };
}

function ruleOf({ row, check, id }: Entry): Json {
  return {
    id,
    name: check.name,
    shortDescription: { text: `${row.id}: ${check.name}` },
    fullDescription: { text: `${row.title}: ${check.name}.` },
    defaultConfiguration: { level: "error" },
    help: { text: `${row.id} ${row.title}. See it again:  ${check.reproduce}` },
    properties: { tags: ["security", row.id], precision: "very-high" },
  };
}

/** A check that could not be made is told, and is no result. */
function notificationOf({ row, check, id, index }: Entry): Json[] {
  if (check.state !== "missing") return [];
  return [
    {
      level: "warning",
      message: { text: `${row.id}, ${check.name}: not made: ${check.reason ?? "no reason was given"}` },
      associatedRule: { id, index },
    },
  ];
}

/** Their rules stand after those of the checks. */
function openRowsOf({ rows }: AuditReport, rulesBefore: number): OpenRow[] {
  return rows
    .flatMap((row) => {
      const open = opennessOf(row);
      return open === undefined ? [] : [{ row, ...open }];
    })
    .map((open, nth) => ({ ...open, id: `${open.row.id}/${notChecked}`, index: rulesBefore + nth }));
}

/** Of an item that failed what waits for a later version is no news: it stands in the notifications alone. */
function opennessOf({ verdict, checks, reason }: AuditRow): Pick<OpenRow, "why" | "kind"> | undefined {
  const missing = checks.filter(
    (check) => check.state === "missing" && (verdict === "unknown" || !isNotYet(check)),
  );
  if (missing.length > 0) return { kind: "open", why: reasonsOf(missing) };
  return verdict === "unknown" ? { kind: "review", why: reason ?? "no reason was given" } : undefined;
}

/** Checks that share a reason stand together. */
const reasonsOf = (missing: readonly AuditCheck[]): string =>
  [...Map.groupBy(missing, ({ reason = "no reason was given" }) => reason)]
    .map(([reason, alike]) => `${alike.map(({ name }) => name).join(", ")}: ${reason}`)
    .join("; ");

const notChecked = "not-checked";

/** No rule of a check: what readers know of one (that it was found, that it was mended) is not known here. */
function openRuleOf({ row, id }: OpenRow): Json {
  return {
    id,
    name: notChecked,
    shortDescription: { text: `${row.id}: not all of it was checked` },
    fullDescription: { text: `${row.title}: what was not made is not known, and not passed.` },
    defaultConfiguration: { level: "none" },
    help: {
      text: `${row.id} ${row.title}. Each check says what it lacks. Checked again:  npx curtainwall audit --only ${row.id}`,
    },
    properties: { tags: ["security", row.id] },
  };
}

async function openResultOf(report: AuditReport, { row, why, kind, id, index }: OpenRow): Promise<Json> {
  const place = placeOf(report, undefined);
  return {
    ruleId: id,
    ruleIndex: index,
    kind,
    level: "none",
    message: { text: `${row.id}: ${row.verdict}: ${rowCounts(row)}. ${why}` },
    locations: place === undefined ? [] : [locationOf(place)],
    partialFingerprints: { "curtainwall/v1": toHex(await sha256(id)).slice(0, 32) },
  };
}

/** Findings of one check. Those that are the same but for numbers and marks are one, counted. */
async function resultsOf(report: AuditReport, entry: Entry): Promise<Json[]> {
  const { check } = entry;
  if (check.state !== "failed") return [];
  const shown = failingEvidence(check);
  const failing: (Evidence | undefined)[] = shown.length === 0 ? [undefined] : shown;
  const found = new Map<string, { result: Json; count: number }>();
  for (const evidence of failing) {
    const place = placeOf(report, evidence, check);
    const fingerprint = await fingerprintOf(entry, evidence, place);
    const former = found.get(fingerprint);
    if (former === undefined)
      found.set(fingerprint, { result: resultOf(entry, evidence, place, fingerprint), count: 1 });
    else former.count++;
  }
  return [...found.values()].map(({ result, count }) => ({ ...result, occurrenceCount: count }));
}

function resultOf(
  { row, check, id, index }: Entry,
  evidence: Evidence | undefined,
  place: Place | undefined,
  fingerprint: string,
): Json {
  const about = evidence?.about ?? check.reason ?? check.name;
  return {
    ruleId: id,
    ruleIndex: index,
    kind: "fail",
    level: "error",
    message: {
      text: `${row.id}, ${check.name}: ${about}. See it again:  ${reproductionOf(check, evidence)}`,
    },
    locations: place === undefined ? [] : [locationOf(place)],
    partialFingerprints: { "curtainwall/v1": fingerprint },
    ...(evidence?.kind === "exchange" ? exchangeOf(evidence) : {}),
  };
}

const reproductionOf = ({ reproduce }: AuditCheck, evidence: Evidence | undefined): string =>
  (evidence?.kind === "exchange" ? evidence.reproduce : undefined) ?? reproduce;

function locationOf(place: Place): Json {
  const { file, line, route } = place;
  const subject = subjectOf(place);
  return {
    ...(subject === undefined ? {} : { message: { text: subject } }),
    physicalLocation: {
      artifactLocation: {
        uri: file.toWellFormed().split("/").map(encodeURIComponent).join("/"),
        uriBaseId: "%SRCROOT%",
      },
      region: { startLine: Math.max(line, 1) },
    },
    ...(route === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: route, kind: "member" }] }),
  };
}

function exchangeOf({ request, response }: ExchangeEvidence): Json {
  return {
    webRequest: {
      protocol: "http",
      version: request.protocol,
      target: request.url,
      method: request.method,
      headers: headersOf(request.headers),
      ...(request.body === undefined ? {} : { body: { text: request.body } }),
    },
    webResponse: {
      statusCode: response.status,
      headers: headersOf(response.headers),
      body: { text: response.body },
    },
  };
}

/** Lines `name: value`; of a name that stands several times the values, one after the other. */
function headersOf(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(": ");
    const name = printable(colon < 0 ? line : line.slice(0, colon), 200);
    const value = colon < 0 ? "" : line.slice(colon + 2);
    const former = headers.get(name);
    headers.set(name, former === undefined ? value : `${former}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/**
 * What stays the same of a finding when it is found again: the check, the route or file, and what was looked at without its numbers, ids
 * and marks. Not its line: that moves with every change above it.
 */
async function fingerprintOf(
  { id }: Entry,
  evidence: Evidence | undefined,
  place: Place | undefined,
): Promise<string> {
  const subject = [id, place?.route ?? place?.file ?? "", lasting(printable(evidence?.about ?? "", maxText))];
  return toHex(await sha256(JSON.stringify(subject))).slice(0, 32);
}

/** A text without what differs from run to run: marks, identifiers, numbers. */
function lasting(text: string): string {
  return text
    .replaceAll(/\bcw[a-z]{16}\b/g, "#")
    .replaceAll(/[\w-]{20,}/g, "#")
    .replaceAll(/\d+(?:[.:-]\d+)*/g, "#");
}
