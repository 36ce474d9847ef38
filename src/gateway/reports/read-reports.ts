import { parseJsonBody } from "../../shared/index.ts";
import { cleanViolation } from "./violation.ts";
import type { DroppedReason, PolicyViolation, RawViolation } from "./violation.ts";

/** How a report was sent: as `report-to` or as `report-uri` has it. */
export type ReportFormat = "reports" | "csp-report";

/** What a body held. */
export interface ReadReports {
  readonly violations: readonly PolicyViolation[];
  readonly dropped: ReadonlyMap<DroppedReason, number>;
}

/** Reports of one body that are read. A browser sends those of one page together. */
const maxReports = 20;

const formats: Readonly<Record<string, ReportFormat>> = {
  "application/reports+json": "reports",
  "application/csp-report": "csp-report",
};

/** The format that a content type names; undefined for any other. */
export function reportFormatOf(contentType: string | undefined): ReportFormat | undefined {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return Object.hasOwn(formats, type) ? formats[type] : undefined;
}

/**
 * Reads a body of reports; undefined if it is none.
 *
 * @see Reporting API §3.1 (`application/reports+json`), Content Security Policy Level 3 §5.3 (`application/csp-report`)
 */
export function readReports(
  format: ReportFormat,
  bytes: Uint8Array,
  origin: string,
): ReadReports | undefined {
  const { value, fault } = parseJsonBody(bytes);
  if (fault !== undefined) return undefined;
  const raw = format === "reports" ? rawReports(value) : rawCspReport(value);
  return raw === undefined ? undefined : clean(raw, origin);
}

function clean(raw: readonly (RawViolation | DroppedReason)[], origin: string): ReadReports {
  const violations: PolicyViolation[] = [];
  const dropped = new Map<DroppedReason, number>();
  const drop = (reason: DroppedReason, count = 1): void =>
    void dropped.set(reason, (dropped.get(reason) ?? 0) + count);
  for (const entry of raw.slice(0, maxReports)) {
    const cleaned = typeof entry === "string" ? entry : cleanViolation(entry, origin);
    if (typeof cleaned === "string") drop(cleaned);
    else violations.push(cleaned);
  }
  if (raw.length > maxReports) drop("too-many", raw.length - maxReports);
  return { violations, dropped };
}

function rawReports(value: unknown): readonly (RawViolation | DroppedReason)[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map((report: unknown) => {
    if (!isObject(report) || typeof report.type !== "string") return "shape";
    if (report.type !== "csp-violation") return "other-type";
    const { body } = report;
    if (!isObject(body)) return "shape";
    return {
      page: body.documentURL,
      directive: body.effectiveDirective,
      blocked: body.blockedURL,
      disposition: body.disposition,
      file: body.sourceFile,
      line: body.lineNumber,
      sample: body.sample,
    };
  });
}

function rawCspReport(value: unknown): readonly RawViolation[] | undefined {
  if (!isObject(value) || !isObject(value["csp-report"])) return undefined;
  const report = value["csp-report"];
  return [
    {
      page: report["document-uri"],
      directive: report["effective-directive"] ?? report["violated-directive"],
      blocked: report["blocked-uri"],
      disposition: report.disposition,
      file: report["source-file"],
      line: report["line-number"],
      sample: report["script-sample"],
    },
  ];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
