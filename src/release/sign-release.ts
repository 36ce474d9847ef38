import { identityDigest, programDigest, signEnvelope } from "../contract/index.ts";
import type {
  Envelope,
  EnvelopeSigner,
  ReleaseIndex,
  ReleaseSignatures,
  ReleaseStatement,
} from "../contract/index.ts";

/** A program with its signature. */
export interface SignedProgram {
  /** JSON of a `Program`, exactly as it was signed. */
  readonly document: string;
  readonly envelope: Envelope;
}

/** Options of {@link signRelease}. */
export interface SignReleaseOptions {
  /** The release, or all that is known of it without its files. */
  release: Pick<ReleaseIndex, "digest" | "manifest">;
  program: SignedProgram;
  /** The site's origin. */
  site: string;
  /** Higher than that of any statement that was made for the site before. */
  sequence: number;
  /** Holds the release key. */
  signer: EnvelopeSigner;
  /** Milliseconds since 1970. */
  now: number;
  /** How long it may be taken into use, in days. At least 1. Default 365. */
  lifetimeDays?: number;
}

const dayMs = 86_400_000;

/** States with the release key that this content, under this program, is the site's from now on. Gives JSON of `ReleaseSignatures`. */
export async function signRelease({
  release,
  program,
  site,
  sequence,
  signer,
  now,
  lifetimeDays = 365,
}: SignReleaseOptions): Promise<string> {
  const statement: ReleaseStatement = {
    format: 1,
    site,
    digest: release.digest,
    identity: await identityDigest(release.manifest),
    sequence,
    created: new Date(now).toISOString(),
    expires: new Date(now + lifetimeDays * dayMs).toISOString(),
    program: await programDigest(program.document),
  };
  const signatures: ReleaseSignatures = {
    release: await signEnvelope("release", JSON.stringify(statement), signer),
    program: program.envelope,
  };
  return JSON.stringify(signatures);
}
