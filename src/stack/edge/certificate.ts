import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { isAbsolute, join } from "node:path";
import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackFolders } from "../folders.ts";
import type { CertificatePair } from "../processes/messages.ts";

/** The certificate that the edge shows, and what is known of it. */
export interface StackCertificate {
  readonly pair: CertificatePair;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** The development authority that signed it; undefined for a certificate from files. */
  readonly caFile: string | undefined;
}

/**
 * Reads the contract's certificate. A site that only this machine can reach gets one from the development authority instead.
 *
 * @throws {CurtainwallError} `STACK_CERTIFICATE_MISSING` when a public site names none, `STACK_CERTIFICATE_INVALID`,
 *   `STACK_FILE_UNREADABLE`
 */
export async function loadCertificate(contract: Contract, folders: StackFolders): Promise<StackCertificate> {
  const { certificate } = contract.edge;
  if (certificate !== undefined) {
    const pair = {
      cert: readText(resolveIn(folders.root, certificate.certFile)),
      key: readText(resolveIn(folders.root, certificate.keyFile)),
    };
    return { pair, fingerprint: checkPair(pair), caFile: undefined };
  }
  const { hostname } = new URL(contract.origin);
  assertLocal(hostname, contract);
  const host = hostname.replace(/^\[|\]$/g, "");
  const { developmentCertificate } = await import("../../edge/index.ts");
  const { cert, key, caFile } = await developmentCertificate({
    folder: folders.authority,
    hosts: [...new Set([host, "localhost", "127.0.0.1", "::1"])],
  });
  return { pair: { cert, key }, fingerprint: checkPair({ cert, key }), caFile };
}

/** Visitors of a public site would be shown an authority that they have no reason to trust, and learn to click warnings away. */
function assertLocal(hostname: string, { origin, edge }: Contract): void {
  if (isLoopbackHost(hostname) || edge.addresses.every(isLoopbackHost)) return;
  throw new CurtainwallError(
    "STACK_CERTIFICATE_MISSING",
    `The contract names no certificate for ${origin}, and a development certificate is for this machine only.`,
    {
      hint: `Add  edge: { certificate: { certFile: "…", keyFile: "…" } },   Or try the site here, where only this machine reaches it:  edge: { addresses: ["127.0.0.1", "::1"], port: 8443 },`,
    },
  );
}

/** Calls back with the new certificate whenever its files change to another usable pair. Returns what stops it. */
export function watchCertificate(
  contract: Contract,
  folders: StackFolders,
  onChange: () => void,
): () => void {
  const { certificate } = contract.edge;
  if (certificate === undefined) return () => undefined;
  const files = [certificate.certFile, certificate.keyFile].map((file) => resolveIn(folders.root, file));
  // Polled, since renewal tools replace links, folders or files, and no watcher sees all three.
  for (const file of files) watchFile(file, { interval: 2000, persistent: false }, onChange);
  return () => {
    for (const file of files) unwatchFile(file, onChange);
  };
}

/** Reads a PEM file that the contract names. */
export function readPem(root: string, file: string | undefined): string | undefined {
  return file === undefined ? undefined : readText(resolveIn(root, file));
}

/** Where a file lies that the contract names. */
export const resolveIn = (root: string, file: string): string => (isAbsolute(file) ? file : join(root, file));

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CurtainwallError(
      "STACK_FILE_UNREADABLE",
      `${file} can't be read: ${(cause as NodeJS.ErrnoException).code}.`,
      { cause, hint: "The contract names it; check the path and who may read it" },
    );
  }
}

/** Refuses a pair that can't be used; tells the certificate's SHA-256. */
export function checkPair({ cert, key }: CertificatePair): string {
  try {
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      throw new Error("the key is not that of the certificate");
    if (Date.parse(parsed.validTo) < Date.now()) throw new Error(`it ran out on ${parsed.validTo}`);
    return parsed.fingerprint256;
  } catch (cause) {
    throw new CurtainwallError(
      "STACK_CERTIFICATE_INVALID",
      `The certificate can't be used: ${(cause as Error).message}.`,
      { cause },
    );
  }
}
