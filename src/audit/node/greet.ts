import { isCurtainwallError } from "../../shared/index.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import { reasonOf } from "../check.ts";
import type { Commands } from "../commands.ts";
import type { AuditContext } from "../context.ts";
import { isOutOfTime, timeIsUp } from "../out-of-time.ts";
import type { ContextOptions } from "./run.ts";
import type { OpenWire } from "./wire.ts";

/** What a connection fails with where nobody takes it. */
const silence = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
]);

/** What a handshake fails with where it is the certificate that is not believed. */
const unverified = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

const withoutTwice = (reason: string): string => reason.replace(/^no answer: /, "");

/** Says why the target does not answer, if it does not, so that no check waits for it again. */
export async function greet(
  wire: OpenWire,
  { target, contract, ca, caFile }: ContextOptions,
  { start }: Commands,
  over: Promise<never>,
): Promise<AuditContext["unreachable"]> {
  let failure: unknown;
  for (let tries = 0; tries < 2; tries++) {
    try {
      await Promise.race([wire.send({ method: "GET", path: "/" }), over]);
      return undefined;
    } catch (error) {
      failure = error;
    }
  }
  if (isOutOfTime(reasonOf(failure)))
    return { reason: `the target gave no answer before ${timeIsUp}`, isSilent: false };
  const { code = "" } = (isCurtainwallError(failure) ? (failure.cause ?? {}) : {}) as { code?: string };
  if (unverified.has(code)) {
    const by =
      ca === undefined ? "an authority that this machine trusts" : `the authority in ${caFile ?? "its ca"}`;
    return {
      reason: `${target.origin} answered with a certificate that does not verify (${code}); expected was one by ${by}`,
      isSilent: false,
    };
  }
  if (!silence.has(code))
    return { reason: `the target gives no answer: ${withoutTwice(reasonOf(failure))}`, isSilent: false };
  const isOwn = target.origin === contract.origin;
  const isHere = isLoopbackHost(new URL(contract.origin).hostname);
  const help = isOwn
    ? isHere
      ? `; start it with  ${start}`
      : ""
    : `; the contract's own address is ${contract.origin}${isHere ? `, which is started with  ${start}` : ""}`;
  return { reason: `nothing answers at ${target.origin} (${code})${help}`, isSilent: true };
}
