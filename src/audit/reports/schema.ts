import { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import { attackedOptions, kinds } from "../attack/kinds.ts";
import type { AuditErrorCode } from "../errors.ts";
import type { AuditReport } from "../report.ts";

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const about = z.string();
const attackKind = z.enum(kinds);

const exchange = z.strictObject({
  kind: z.literal("exchange"),
  about,
  request: z.strictObject({
    method: z.string(),
    url: z.string(),
    protocol: z.string(),
    headers: z.array(z.string()),
    body: z.string().exactOptional(),
  }),
  response: z.strictObject({
    status: z.int(),
    headers: z.array(z.string()),
    body: z.string(),
    bytes: count,
  }),
  reproduce: z.string().exactOptional(),
  promise: z.enum(attackedOptions).exactOptional(),
});

const evidence = z.discriminatedUnion("kind", [
  exchange,
  z.strictObject({
    kind: z.literal("file"),
    about,
    file: z.string(),
    line: count.exactOptional(),
    excerpt: z.string().exactOptional(),
    sha256: z.string().exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("measurement"),
    about,
    value: z.union([z.number(), z.string()]),
    unit: z.string().exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("command"),
    about,
    command: z.string(),
    exitCode: z.int(),
    output: z.string(),
  }),
  z.strictObject({ kind: z.literal("contract"), about, at: z.string() }),
]);

const check = z.strictObject({
  name: z.string().min(1),
  kind: z.enum(["source", "built", "live"]),
  state: z.enum(["passed", "failed", "missing", "not applicable"]),
  attack: attackKind.exactOptional(),
  promise: z.enum(attackedOptions).exactOptional(),
  isSupporting: z.literal(true).exactOptional(),
  observations: count,
  evidence: z.array(evidence),
  failing: count.exactOptional(),
  held: count.exactOptional(),
  reproduce: z.string(),
  reason: z.string().exactOptional(),
});

const row = z.strictObject({
  id: z.string().regex(/^[A-Z]{2,4}-\d{1,2}$/),
  title: z.string().min(1),
  verdict: z.enum(["proved", "evidenced", "attested", "failed", "unknown"]),
  ran: count,
  of: count,
  failed: count,
  notApplicable: count,
  reason: z.string().exactOptional(),
  checks: z.array(check),
});

const mend = z.strictObject({
  checks: z.array(z.strictObject({ row: z.string(), name: z.string() })),
  says: z.string(),
  framework: z.enum([
    "Next.js",
    "NestJS",
    "Astro",
    "Fastify",
    "Hono",
    "Express",
    "nginx",
    "Caddy",
    "Node.js",
  ]),
  because: z.string(),
  where: z.string(),
  language: z.enum(["js", "ts", "nginx", "caddy"]),
  code: z.string(),
});

const report = z.strictObject({
  format: z.literal(1),
  tool: z.string().exactOptional(),
  target: z.string(),
  unreachable: z.string().exactOptional(),
  contract: z
    .strictObject({
      digest: sha256,
      folder: z.string(),
      file: z.string().min(1),
      routes: z.record(z.string(), z.string()),
      options: z.record(z.string(), z.record(z.string(), z.string())).exactOptional(),
    })
    .exactOptional(),
  release: z
    .strictObject({
      digest: sha256,
      served: z.enum(["as built", "differs", "unknown"]),
      compared: count,
      of: count,
      reason: z.string().exactOptional(),
    })
    .exactOptional(),
  startedAt: z.iso.datetime(),
  durationMs: z.number().min(0),
  weakenings: z.array(z.strictObject({ at: z.string(), reason: z.string() })),
  rows: z.array(row),
  attacks: z.partialRecord(attackKind, count).exactOptional(),
  mends: z.array(mend).exactOptional(),
  summary: z.strictObject({
    proved: count,
    evidenced: count,
    attested: count,
    failed: count,
    unknown: count,
  }),
});

/** Whether two types are identical: assignable is not enough, since a member that may be absent is missed by it. */
type Same<Left, Right> =
  (<Any>() => Any extends Left ? 1 : 2) extends <Any>() => Any extends Right ? 1 : 2 ? true : false;
/** Fails to compile when `report.ts` and the schema part: a member that is added there is added here, with a new `format` if it must be. */
const isTheReport: Same<z.infer<typeof report>, AuditReport> = true;

/** The JSON Schema (2020-12) of what `curtainwall audit --json` writes: {@link AuditReport}. */
export function auditReportSchema(): Record<string, unknown> {
  return {
    $id: "urn:curtainwall:audit-report:1",
    title: "Report of curtainwall audit, format 1",
    ...z.toJSONSchema(report, { target: "draft-2020-12" }),
  };
}

/**
 * Reads a report that somebody else may have written.
 *
 * @throws {CurtainwallError} `AUDIT_REPORT_INVALID`, with the first member that is not as the schema says
 */
export function parseReport(value: unknown): AuditReport {
  const { data, error } = report.safeParse(value);
  if (isTheReport && data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  const where = issue?.path.map(String).join(".") ?? "";
  throw new CurtainwallError<AuditErrorCode>(
    "AUDIT_REPORT_INVALID",
    `This is no report of an audit: ${where === "" ? "it" : where.slice(0, 200)} is not as format 1 has it.`,
    { hint: "Its schema:  npx curtainwall audit --schema" },
  );
}
