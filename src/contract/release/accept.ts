import { CurtainwallError, printable } from "../../shared/index.ts";
import type { ContractErrorCode } from "../errors.ts";
import { openEnvelope } from "./envelope.ts";
import type { Release } from "./format.ts";
import { outsideProgram } from "./program.ts";
import type { Program } from "./program.ts";
import type { ReleasePublicKey } from "./public-key.ts";
import { parseProgram, parseSignatures, parseStatement, programDigest } from "./statement.ts";
import type { ReleaseStatement } from "./statement.ts";

/** The public keys that a site's releases are checked against. */
export interface ReleaseKeys {
  readonly program: ReleasePublicKey;
  readonly release: ReleasePublicKey;
}

/** What was accepted last, as it is kept between two starts. */
export interface AcceptedRelease {
  readonly sequence: number;
  readonly digest: string;
}

/** What {@link acceptRelease} holds a release against. */
export interface Acceptance {
  readonly keys: ReleaseKeys;
  /** The origin it will be served at. */
  readonly site: string;
  /** Of the contract that the gateway enforces, by `contractDigest`. */
  readonly contract: string;
  /** What was accepted last; undefined: nothing yet. */
  readonly last: AcceptedRelease | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Decides whether a release may be served: the release key signed it for this site, it is neither older than the last one nor expired,
 * and nothing that it lets a browser run lies outside the program that the program key signed. Needs public keys only.
 *
 * @param release as `decodeRelease` gives it, so that its bytes are known to be those of its digest
 * @param signatures JSON of `ReleaseSignatures`: the release's own, or those that lie beside it
 * @throws {CurtainwallError} `RELEASE_SIGNATURE_MISSING`, `RELEASE_SIGNATURE_INVALID`, `RELEASE_SITE_OTHER`,
 *   `RELEASE_CONTRACT_OTHER`, `RELEASE_REPLAYED`, `RELEASE_EXPIRED`, `RELEASE_OUTSIDE_PROGRAM`
 */
export async function acceptRelease(
  release: Release,
  signatures: string,
  acceptance: Acceptance,
): Promise<ReleaseStatement> {
  const { statement, program } = await openSignatures(signatures, acceptance.keys);
  if (statement.digest !== release.digest)
    throw refusal("RELEASE_SIGNATURE_INVALID", "The signature belongs to another release.", resign);
  assertPlace(statement, program, acceptance);
  assertTime(statement, acceptance);
  const outside = outsideProgram(release.manifest, program);
  if (outside.length > 0) {
    throw refusal(
      "RELEASE_OUTSIDE_PROGRAM",
      `The release would let browsers run or load what the signed program does not permit.\n  ${outside.join("\n  ")}`,
      "If you meant this change, sign the program that it needs: npx curtainwall key sign",
    );
  }
  return statement;
}

const resign = "Sign it again on the host that holds the release key: npx curtainwall release promote";

/**
 * Opens signatures with the pinned keys. What comes out was signed; whether it fits a release and this moment is another question.
 *
 * @throws {CurtainwallError} `RELEASE_SIGNATURE_MISSING`, `RELEASE_SIGNATURE_INVALID`
 */
export async function openSignatures(
  signatures: string,
  keys: ReleaseKeys,
): Promise<{ statement: ReleaseStatement; program: Program }> {
  const given = parseSignatures(signatures);
  if (given === undefined)
    throw refusal("RELEASE_SIGNATURE_MISSING", "The release carries no signatures that can be read.", resign);
  const signed = await openEnvelope("release", given.release, keys.release);
  const statement = signed === undefined ? undefined : parseStatement(signed);
  if (statement === undefined) {
    throw refusal(
      "RELEASE_SIGNATURE_INVALID",
      `The release was not signed with the release key ${keys.release.text}.`,
      resign,
    );
  }
  const document = await openEnvelope("program", given.program, keys.program);
  const program = document === undefined ? undefined : parseProgram(document);
  if (document === undefined || program === undefined) {
    throw refusal(
      "RELEASE_SIGNATURE_INVALID",
      `The program was not signed with the program key ${keys.program.text}.`,
      "Sign it with the key that the contract names: npx curtainwall key sign",
    );
  }
  if ((await programDigest(document)) !== statement.program)
    throw refusal("RELEASE_SIGNATURE_INVALID", "The release was signed for another program.", resign);
  return { statement, program };
}

function assertPlace(statement: ReleaseStatement, program: Program, { site, contract }: Acceptance): void {
  if (statement.site !== site || program.site !== site) {
    const other = statement.site === site ? program.site : statement.site;
    throw refusal(
      "RELEASE_SITE_OTHER",
      `The release was signed for ${printable(other)}, and this is ${site}.`,
      "Build and sign it for this origin: npx curtainwall build",
    );
  }
  if (program.contract !== contract) {
    throw refusal(
      "RELEASE_CONTRACT_OTHER",
      "The contract's routes are not those that the program was signed with.",
      "Build again, so that the program covers the contract as it is now: npx curtainwall build",
    );
  }
}

function assertTime({ sequence, digest, expires }: ReleaseStatement, { last, now }: Acceptance): void {
  if (
    last !== undefined &&
    (sequence < last.sequence || (sequence === last.sequence && digest !== last.digest))
  ) {
    throw refusal(
      "RELEASE_REPLAYED",
      `The release has the number ${sequence}, and number ${last.sequence} was served already.`,
      "To go back to what was served before, give it a new number: npx curtainwall release rollback",
    );
  }
  if (Date.parse(expires) > now) return;
  throw refusal(
    "RELEASE_EXPIRED",
    `The release could be taken into use until ${printable(expires)}.`,
    "Renew it: npx curtainwall release promote",
  );
}

function refusal(
  code: ContractErrorCode,
  message: string,
  hint: string,
): CurtainwallError<ContractErrorCode> {
  return new CurtainwallError(code, message, { hint });
}
