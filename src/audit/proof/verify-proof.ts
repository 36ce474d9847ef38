import { openEnvelope, parsePublicKey } from "../../contract/index.ts";
import type { Envelope, ReleasePublicKey } from "../../contract/index.ts";
import { fromBase64, toBase64 } from "../../shared/index.ts";
import { toHtml } from "../reports/html.ts";
import { parseReport } from "../reports/schema.ts";
import type { AuditReport } from "../report.ts";
import { pageFile, reportFile, statementFile } from "./make-proof.ts";
import { ownCheckProblems } from "./own-checks.ts";
import { parseBounded } from "./parse-bounded.ts";
import { reportProblems } from "./report-problems.ts";
import { hashOf, statementSchema } from "./statement.ts";
import type { ProofStatement } from "./statement.ts";

/** The files of a pack by name. A `Map` is one; what reads a file when it is asked for needs no room for those that nobody signed. */
export interface ProofFiles {
  /** All names. */
  keys(): Iterable<string>;
  /**
   * A file's content; undefined where there is none; where it is there and was not read, an error that says why. Asked at most once for each, and only for the statement
   * and for what a signed one names.
   */
  get(name: string): Uint8Array | Error | undefined;
}

/** Options of {@link verifyProof}. */
export interface VerifyProofOptions {
  /** The pack's files, all of them. */
  files: ProofFiles;
  /** Whose signature counts. Undefined: that of the key that the pack names, which shows that it is whole and not whose it is. */
  key: ReleasePublicKey | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /**
   * Who verifies, as a report names its tool: `curtainwall 1.2.3`. What draws pages otherwise than the pack's maker, or makes other checks, can't compare its page and its
   * checks. Default: nobody's.
   */
  tool?: string;
}

/** What became of a pack. */
export interface VerifiedProof {
  /** What is wrong with it, each in a sentence. None: it is as it was signed, and says what its report shows. */
  problems: string[];
  /** One of the problems: it expired, or is from the future. */
  isOutOfTime: boolean;
  /** Its files are those that were signed: what is wrong besides, whoever signed it did. */
  isAsSigned: boolean;
  /**
   * Whether the page was drawn again from the report, to see that it says nothing else, and its checks were held against those that its maker makes. They are not where files
   * were changed, or where another tool, or another version, made it.
   */
  isPageCompared: boolean;
  /** Undefined where its signature does not hold: nothing of it is believed then. */
  statement?: ProofStatement;
  /** The key that signed, as a contract writes it. */
  signedBy?: string;
}

/** Clocks differ by this much. */
const skewMs = 300_000;

/** Checks a pack that {@link makeProof} made: signature, files, each piece of evidence, verdicts against checks, and its time. Needs nothing else. */
export async function verifyProof({ files, key, now, tool }: VerifyProofOptions): Promise<VerifiedProof> {
  const opened = await openStatement(files.get(statementFile), key);
  if ("problem" in opened)
    return { problems: [opened.problem], isOutOfTime: false, isAsSigned: false, isPageCompared: false };
  const { statement, signedBy } = opened;
  const outOfTime = timeProblems(statement, now);
  const { changed, report } = await readFiles(statement, files);
  const isAsSigned = changed.length === 0;
  // Beside a report that was changed the page says nothing wrong.
  const isPageCompared = isAsSigned && isReport(report) && statement.predicate.tool === tool;
  const problems = [
    ...outOfTime,
    ...changed,
    ...(report instanceof Error ? [`${reportFile} can't be read: ${report.message}`] : []),
    ...(isReport(report) ? await reportProblems(statement, report) : []),
    ...(isPageCompared ? [...ownCheckProblems(report), ...(await pageProblems(statement, report))] : []),
  ];
  return { problems, isOutOfTime: outOfTime.length > 0, isAsSigned, isPageCompared, statement, signedBy };
}

/** What people read must say what programs read: a page that was written by hand can be signed as well. */
async function pageProblems({ predicate }: ProofStatement, report: AuditReport): Promise<string[]> {
  return predicate.files[pageFile] === (await hashOf(await toHtml(report)))
    ? []
    : [`${pageFile} is not the page that ${reportFile} makes`];
}

type Opened = { statement: ProofStatement; signedBy: string } | { problem: string };

async function openStatement(
  content: ReturnType<ProofFiles["get"]>,
  wanted: ReleasePublicKey | undefined,
): Promise<Opened> {
  if (content === undefined) return { problem: `${statementFile} is missing: there is nothing signed here` };
  if (content instanceof Error) return { problem: `${statementFile} was not read: ${content.message}` };
  const envelope = readEnvelope(content);
  if (envelope === undefined) return { problem: `${statementFile} is no signed statement, or was changed` };
  const named = envelope.signatures[0]?.keyid ?? "";
  const key = wanted ?? parsePublicKey(named);
  if (key === undefined) return { problem: `${statementFile} names no key` };
  if (named !== key.text)
    return {
      problem: `${statementFile} was signed by another key (${named.slice(0, 60)}), not by ${key.text}`,
    };
  const document = await openEnvelope("proof", envelope, key);
  if (document === undefined)
    return {
      problem: `${statementFile} is not what ${key.text} signed: it was changed, or the signature was`,
    };
  const statement = readStatement(document);
  return statement === undefined
    ? {
        problem: `${statementFile} states something else than an audit, or in a form that this version does not read`,
      }
    : { statement, signedBy: key.text };
}

/** An envelope that stands in its file as it was written, to the byte: what is not signed must not differ either. */
function readEnvelope(content: Uint8Array): Envelope | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    const { payloadType, payload, signatures } = parseBounded(text) as Envelope;
    const [{ keyid, sig } = { keyid: "", sig: "" }] = signatures;
    const again = (base64: string): string => toBase64(fromBase64(base64) ?? new Uint8Array());
    const envelope = { payloadType, payload: again(payload), signatures: [{ keyid, sig: again(sig) }] };
    return `${JSON.stringify(envelope, null, 2)}\n` === text ? envelope : undefined;
  } catch {
    return undefined;
  }
}

function readStatement(document: string): ProofStatement | undefined {
  try {
    return statementSchema.safeParse(parseBounded(document)).data;
  } catch {
    return undefined;
  }
}

function timeProblems({ predicate }: ProofStatement, now: number): string[] {
  if (Date.parse(predicate.expires) < now) return [`it expired: it counted until ${predicate.expires}`];
  if (Date.parse(predicate.created) > now + skewMs)
    return [`it says that it was made at ${predicate.created}, which is still to come`];
  return [];
}

/** Looks at the files that the statement names, one after another: there is never more than one of them in memory. Without a report: why is told among what changed. */
async function readFiles(
  { predicate }: ProofStatement,
  files: ProofFiles,
): Promise<{ changed: string[]; report: AuditReport | Error | undefined }> {
  const changed: string[] = [];
  let report: AuditReport | Error | undefined = new Error("it is no part of what was signed");
  for (const [name, wanted] of Object.entries(predicate.files)) {
    const content = files.get(name);
    if (content === undefined) changed.push(`${name} is missing`);
    else if (content instanceof Error) changed.push(`${name} was not read: ${content.message}`);
    else if ((await hashOf(content)) !== wanted) changed.push(`${name} was changed`);
    if (name === reportFile) report = content instanceof Uint8Array ? readReport(content) : undefined;
  }
  const strays = [...files.keys()].filter(
    (name) => name !== statementFile && !Object.hasOwn(predicate.files, name),
  );
  return {
    changed: [...changed, ...strays.map((name) => `${name} is no part of what was signed`)],
    report,
  };
}

const isReport = (report: AuditReport | Error | undefined): report is AuditReport =>
  report !== undefined && !(report instanceof Error);

function readReport(content: Uint8Array): AuditReport | Error {
  try {
    return parseReport(parseBounded(new TextDecoder("utf-8", { fatal: true }).decode(content)));
  } catch (error) {
    return error as Error;
  }
}
