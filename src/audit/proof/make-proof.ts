import { signEnvelope } from "../../contract/index.ts";
import type { EnvelopeSigner } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { AuditErrorCode } from "../errors.ts";
import type { AuditReport } from "../report.ts";
import { toHtml } from "../reports/html.ts";
import { hashOf, notLookedAt, provenRows, subjectsOf } from "./statement.ts";
import type { KeySource, ProofStatement } from "./statement.ts";

/** The file of a pack that holds the signed statement. */
export const statementFile = "statement.json";
/** The file that holds the report, for programs. */
export const reportFile = "report.json";
/** The file that holds the same for people. */
export const pageFile = "report.html";

/** Options of {@link makeProof}. */
export interface MakeProofOptions {
  /** What the audit found, with its contract. */
  report: AuditReport;
  signer: EnvelopeSigner;
  /** How the signer's key was found. */
  keySource: KeySource;
  /** Milliseconds since 1970. */
  now: number;
  /** How long it counts, in days. At least 1. Default 30. */
  lifetimeDays?: number;
}

const dayMs = 86_400_000;

/**
 * Makes a pack that proves what an audit found: the report for programs and for people, and a statement about both that is signed. Gives
 * its files by name.
 *
 * @throws {CurtainwallError} `AUDIT_REPORT_INVALID` for a report that does not say which contract it is about
 * @see in-toto Attestation Framework, Statement v1; DSSE 1.0.2
 */
export async function makeProof({
  report,
  signer,
  keySource,
  now,
  lifetimeDays = 30,
}: MakeProofOptions): Promise<ReadonlyMap<string, string>> {
  if (report.contract === undefined)
    throw new CurtainwallError<AuditErrorCode>(
      "AUDIT_REPORT_INVALID",
      "The report does not say which contract it is about, so nothing can be proved with it.",
    );
  const files = new Map([
    [reportFile, `${JSON.stringify(report, null, 2)}\n`],
    [pageFile, await toHtml(report)],
  ]);
  const hashes = await Promise.all(
    [...files].map(async ([name, content]) => [name, await hashOf(content)] as const),
  );
  const statement: ProofStatement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjectsOf(report),
    predicateType: "urn:curtainwall:proof:1",
    predicate: {
      tool: report.tool ?? "unknown",
      target: report.target,
      auditedAt: report.startedAt,
      created: new Date(now).toISOString(),
      expires: new Date(now + lifetimeDays * dayMs).toISOString(),
      keySource,
      served: report.release?.served ?? "no release",
      summary: report.summary,
      rows: await provenRows(report),
      notLookedAt: notLookedAt(report),
      files: Object.fromEntries(hashes),
    },
  };
  const envelope = await signEnvelope("proof", JSON.stringify(statement), signer);
  return new Map([[statementFile, `${JSON.stringify(envelope, null, 2)}\n`], ...files]);
}
