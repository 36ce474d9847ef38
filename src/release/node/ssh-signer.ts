import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePublicKey, sshNamespace } from "../../contract/index.ts";
import type { EnvelopeKind, EnvelopeSigner, ReleasePublicKey } from "../../contract/index.ts";
import { CurtainwallError, fromBase64 } from "../../shared/index.ts";
import type { ReleaseErrorCode } from "../errors.ts";

/**
 * Signs with an OpenSSH key: `ssh-keygen` asks for its passphrase, or its agent signs. Our own code never sees the private half.
 *
 * @param file the private key; or a public key file (`….pub`) whose private half an agent holds
 * @throws {CurtainwallError} `RELEASE_KEY_MISSING`, `RELEASE_KEY_UNREADABLE` when it is not Ed25519, `RELEASE_SIGNING_FAILED`
 */
export function openSshKey(file: string, kind: EnvelopeKind): EnvelopeSigner {
  return { publicKey: readPublicHalf(file), sign: (message) => signWithSsh(file, kind, message) };
}

function readPublicHalf(file: string): ReleasePublicKey {
  const name = file.endsWith(".pub") ? file : `${file}.pub`;
  if (!existsSync(name)) {
    throw sshError("RELEASE_KEY_MISSING", `There is no public key in ${name}.`, {
      hint: `It lies beside the private key; to have it again:  ssh-keygen -y -f ${file} > ${name}`,
    });
  }
  const key = parsePublicKey(readFileSync(name, "utf8").trim());
  if (key !== undefined) return key;
  throw sshError("RELEASE_KEY_UNREADABLE", `The key in ${name} is not an Ed25519 key.`, {
    hint: "Make one:  ssh-keygen -t ed25519",
  });
}

function signWithSsh(file: string, kind: EnvelopeKind, message: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-sign-"));
  try {
    const input = join(folder, "program");
    writeFileSync(input, message, { mode: 0o600 });
    const { status, stderr, error } = spawnSync(
      "ssh-keygen",
      ["-Y", "sign", "-n", sshNamespace(kind), "-f", file, input],
      // It asks on the terminal itself; our output is not its business.
      { stdio: ["inherit", "ignore", "pipe"], encoding: "utf8" },
    );
    const armoured = status === 0 ? readFileSync(`${input}.sig`, "utf8") : "";
    const signature = fromBase64(armoured.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
    if (status === 0 && signature !== undefined && signature.length > 0) return signature;
    const reason = error?.message ?? (stderr.trim().split("\n").at(-1) || `it ended with ${status}`);
    throw sshError("RELEASE_SIGNING_FAILED", `ssh-keygen did not sign: ${reason}.`, {
      hint: "Is the key in the agent (ssh-add -l), and is OpenSSH at least 8.2 installed?",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sshError(
  code: ReleaseErrorCode,
  message: string,
  options: { hint?: string } = {},
): CurtainwallError<ReleaseErrorCode> {
  return new CurtainwallError(code, message, options);
}
