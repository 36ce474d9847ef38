import { statSync } from "node:fs";
import type { Contract } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { checkPair, readPem, resolveIn } from "./certificate.ts";
import type { StackErrorCode } from "../errors.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import type { CertificatePair } from "../processes/messages.ts";

/** What the gateway shows upstreams to be known by, by their names. */
export type UpstreamCertificates = Record<string, CertificatePair>;

/**
 * Reads the certificates that a contract names for its upstreams. The edge, which uses them, opens no file of its own.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE`, `STACK_CERTIFICATE_INVALID`, `STACK_KEY_EXPOSED` when any user of the machine may read a key
 */
export function readUpstreamCertificates(
  { upstreams }: Pick<Contract, "upstreams">,
  root: string,
): UpstreamCertificates {
  const certificates: UpstreamCertificates = {};
  for (const { name, clientCertificate } of upstreams.values()) {
    if (clientCertificate === undefined) continue;
    const { certFile, keyFile } = clientCertificate;
    const pair = { cert: readPem(root, certFile) ?? "", key: readPem(root, keyFile) ?? "" };
    assertKept(resolveIn(root, keyFile));
    checkPair(pair);
    certificates[name] = pair;
  }
  return certificates;
}

const forOthers = 0o007;

/** A group is left to the operator: it is how containers are given secrets. */
function assertKept(file: string): void {
  if ((statSync(file).mode & forOthers) === 0) return;
  throw new CurtainwallError<StackErrorCode>(
    "STACK_KEY_EXPOSED",
    `Any user of this machine may open the key ${file}.`,
    { hint: `chmod o= ${file}` },
  );
}

/** How often the files are looked at: renewal tools replace links, folders or files, and no watcher sees all three. */
const lookEveryMs = 2000;

/**
 * Calls back with all of them whenever one is another than before, and usable.
 *
 * @param onUnusable told once of each reason why they can't be used; the ones before stay
 * @returns what stops it
 */
export function watchUpstreamCertificates(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  onChange: (certificates: UpstreamCertificates) => void,
  onUnusable: (message: string) => void,
): () => void {
  if ([...contract.upstreams.values()].every(({ clientCertificate }) => clientCertificate === undefined))
    return () => undefined;
  let known = JSON.stringify(readUpstreamCertificates(contract, root));
  let told = "";
  const timer = setInterval(() => {
    try {
      const certificates = readUpstreamCertificates(contract, root);
      told = "";
      const text = JSON.stringify(certificates);
      if (text === known) return;
      known = text;
      onChange(certificates);
    } catch (error) {
      // While a tool writes the two files they may not match for a moment.
      const { message } = error as Error;
      if (message !== told) onUnusable(message);
      told = message;
    }
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
