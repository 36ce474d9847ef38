import { X509Certificate, createPrivateKey } from "node:crypto";
import { CurtainwallError } from "../../shared/index.ts";
import type { EdgeErrorCode } from "../errors.ts";

/** A certificate chain, leaf first, and the leaf's private key, both in PEM. */
export interface EdgeCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Checks that a certificate and a key are readable and belong together, before they replace ones that work.
 *
 * @throws {CurtainwallError} `EDGE_CERTIFICATE_INVALID`
 */
export function assertCertificate({ cert, key }: EdgeCertificate): void {
  let matches: boolean;
  try {
    matches = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw invalid("they can't be read as PEM", cause);
  }
  if (!matches) throw invalid("the key is not the certificate's");
}

function invalid(what: string, cause?: unknown): CurtainwallError<EdgeErrorCode> {
  return new CurtainwallError(
    "EDGE_CERTIFICATE_INVALID",
    `The certificate and its key can't be used: ${what}.`,
    { hint: "Give the chain, leaf first, and the leaf's unencrypted private key, both as PEM.", cause },
  );
}
