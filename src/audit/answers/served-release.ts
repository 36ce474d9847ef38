import { notFoundPages } from "../../contract/index.ts";
import type { ReleaseFile, ReleaseIndex, ReleaseVariant } from "../../contract/index.ts";
import { counted, sha256, toHex } from "../../shared/index.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { printable } from "../evidence.ts";
import type { Exchange } from "../probes/probe.ts";

/** How what a target serves compares with the release in the project's folder. */
export interface ServedRelease {
  /** Files that differ, with the answer that shows it; at most a few. */
  differing: { about: string; exchange: Exchange }[];
  /** Files that were looked at in full. */
  compared: number;
  of: number;
  /** Why not all of them were. */
  missing: string | undefined;
}

const maxDiffering = 5;
const maxFileBytes = 16 * 1_048_576;
const maxBytes = 128 * 1_048_576;
const maxMs = 30_000;
/** Elsewhere than on this machine an audit stays as light as a visitor. */
const maxFiles = { here: 2000, elsewhere: 50 };

/**
 * Asks for every file of the release in every encoding that it has, and compares the bytes with the manifest's digests.
 * Bounded in files, bytes and time; what is left out is said, and the first answer that does not come ends it.
 */
export async function compareServed(context: AuditContext, release: ReleaseIndex): Promise<ServedRelease> {
  const { files } = release.manifest;
  const result: ServedRelease = { differing: [], compared: 0, of: files.length, missing: undefined };
  if (context.unreachable !== undefined) return { ...result, missing: context.unreachable.reason };
  const most = context.isLoopback ? maxFiles.here : maxFiles.elsewhere;
  const endsAt = context.now() + maxMs;
  let bytes = 0;
  let tooLarge = 0;
  const { notFound } = release.manifest;
  const missing = new Map([...notFoundPages(files, notFound)].map(([folder, page]) => [page, folder]));
  for (const file of files.slice(0, most)) {
    if (result.differing.length >= maxDiffering) break;
    const size = file.variants.reduce((sum, { length }) => sum + length, 0);
    if (size > maxFileBytes || bytes + size > maxBytes) {
      tooLarge++;
      continue;
    }
    if (context.now() > endsAt) return { ...result, missing: `comparing took more than ${maxMs / 1000} s` };
    bytes += size;
    try {
      const difference = await differenceOf(context, file, missing.get(file));
      if (difference === undefined) result.compared++;
      else result.differing.push(difference);
    } catch (error) {
      return { ...result, missing: reasonOf(error) };
    }
  }
  if (tooLarge > 0) result.missing = `${counted(tooLarge, "file is", "files are")} too large to compare`;
  if (files.length > most) result.missing = `only ${most} of ${files.length} files are compared`;
  return result;
}

async function differenceOf(
  context: AuditContext,
  file: ReleaseFile,
  missingBelow: string | undefined,
): Promise<{ about: string; exchange: Exchange } | undefined> {
  const isNotFound = missingBelow !== undefined;
  // The page for what is not there is seen where nothing is.
  const path = encodeURI(isNotFound ? `${missingBelow}${context.mark()}/` : file.path);
  const status = isNotFound ? 404 : 200;
  for (const variant of file.variants) {
    const exchange = await context.caller.send(
      {
        method: "GET",
        path,
        headers: [["accept-encoding", variant.encoding]],
        maxBytes: Math.max(...file.variants.map(({ length }) => length)) + 1,
      },
      { name: "the release's files", burst: 1000, isPerUser: false },
    );
    const fault = await faultOf(exchange, status, file, variant);
    if (fault !== undefined) return { about: `${file.path} (${variant.encoding}): ${fault}`, exchange };
  }
  return undefined;
}

async function faultOf(
  { response }: Exchange,
  status: number,
  { variants }: ReleaseFile,
  asked: ReleaseVariant,
): Promise<string | undefined> {
  if (response.status !== status) return `answered ${response.status}, not ${status}`;
  const encoding = response.header("content-encoding") ?? "identity";
  // A server may always choose identity (RFC 9110 §12.5.3), but nothing that was not asked for.
  if (encoding !== asked.encoding && encoding !== "identity") return `sent as ${printable(encoding, 40)}`;
  const expected = variants.find((variant) => variant.encoding === encoding);
  const digest = toHex(await sha256(response.body));
  return digest === expected?.sha256
    ? undefined
    : `other bytes are served: SHA-256 ${digest.slice(0, 16)}…, built ${expected?.sha256.slice(0, 16)}…`;
}

/** The first digits of a release's name: enough to tell two apart. */
export const shortDigest = (release: ReleaseIndex | undefined): string =>
  release?.digest.slice(0, 12) ?? "(none)";

/** Says in words which release is served. */
export function describeServed(served: ServedRelease | undefined, release: ReleaseIndex): string {
  const name = `release ${shortDigest(release)}`;
  if (served === undefined) return `${name} of the folder`;
  if (served.differing.length > 0) return `another release than the folder's ${shortDigest(release)}`;
  return served.missing === undefined
    ? `${name}, served as it was built`
    : `${name} of the folder, which was not compared in full`;
}

/** What a report says of the comparison. */
export function summariseServed(
  served: ServedRelease,
): Pick<ServedRelease, "compared" | "of"> & { served: "as built" | "differs" | "unknown"; reason?: string } {
  const { compared, of, differing, missing } = served;
  const reason = differing[0]?.about ?? missing;
  return {
    served: differing.length > 0 ? "differs" : missing === undefined ? "as built" : "unknown",
    compared,
    of,
    ...(reason === undefined ? {} : { reason }),
  };
}
