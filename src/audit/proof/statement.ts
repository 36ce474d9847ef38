import { z } from "zod";
import { sha256, toHex } from "../../shared/index.ts";
import { worstRowsFirst } from "../reports/order.ts";
import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

const rowProof = z.strictObject({
  id: z.string(),
  title: z.string(),
  verdict: z.enum(["proved", "evidenced", "attested", "failed", "unknown"]),
  ran: count,
  of: count,
  failed: count,
  notApplicable: count,
  checks: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(["passed", "failed", "missing", "not applicable"]),
      observations: count,
      /** SHA-256 of each piece of evidence, in the report's order. */
      evidence: z.array(hash),
    }),
  ),
});

/** How the key that signed was found: pinned in the contract, made on a developer's machine, or named by whoever ran it. */
const keySource = z.enum(["pinned", "development", "named"]);

export const statementSchema = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z.array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: hash }) })).min(1),
  predicateType: z.literal("urn:curtainwall:proof:1"),
  predicate: z.strictObject({
    tool: z.string(),
    target: z.string(),
    auditedAt: z.iso.datetime(),
    created: z.iso.datetime(),
    expires: z.iso.datetime(),
    keySource,
    /** Whether the release of the folder is what the target served. */
    served: z.enum(["as built", "differs", "unknown", "no release"]),
    summary: z.record(z.string(), count),
    rows: z.array(rowProof),
    /** What no verdict rests on: checks that could not be made, with why. */
    notLookedAt: z.array(z.strictObject({ row: z.string(), check: z.string(), reason: z.string() })),
    files: z.record(z.string(), hash),
  }),
});

/** What a proof states: an in-toto Statement, version 1, whose predicate is an audit. */
export type ProofStatement = z.infer<typeof statementSchema>;
/** How the key that signed was found. */
export type KeySource = z.infer<typeof keySource>;

/** What of a statement follows from the report alone, so that whoever has the report can draw it again. */
export async function provenRows(report: AuditReport): Promise<ProofStatement["predicate"]["rows"]> {
  return Promise.all(
    report.rows.map(async ({ id, title, verdict, ran, of, failed, notApplicable, checks }) => ({
      id,
      title,
      verdict,
      ran,
      of,
      failed,
      notApplicable,
      checks: await Promise.all(checks.map(provenCheck)),
    })),
  );
}

async function provenCheck({ name, state, observations, evidence }: AuditCheck) {
  const hashes = await Promise.all(evidence.map(async (piece) => hashOf(JSON.stringify(piece))));
  return { name, state, observations, evidence: hashes };
}

/** Checks that were not made, the worst rows first. */
export const notLookedAt = ({ rows }: AuditReport): ProofStatement["predicate"]["notLookedAt"] =>
  worstRowsFirst(rows).flatMap((row) => gapsOf(row));

const gapsOf = ({ id, checks }: AuditRow): ProofStatement["predicate"]["notLookedAt"] =>
  checks
    .filter(({ state }) => state === "missing")
    .map(({ name, reason }) => ({ row: id, check: name, reason: reason ?? "no reason was given" }));

/** What a report is about, each with its digest. */
export function subjectsOf({ contract, release, target }: AuditReport): ProofStatement["subject"] {
  const subject = (name: string, digest: string) => ({ name, digest: { sha256: digest } });
  return [
    ...(contract === undefined ? [] : [subject("contract", contract.digest)]),
    ...(release === undefined ? [] : [subject("release", release.digest)]),
    ...(release?.served === "as built" ? [subject(`served at ${target}`, release.digest)] : []),
  ];
}

/** SHA-256 in hexadecimal digits. */
export const hashOf = async (content: string | Uint8Array): Promise<string> => toHex(await sha256(content));
