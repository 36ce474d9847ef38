import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import type { JWK } from "jose";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackFolders } from "../folders.ts";

/**
 * The key that signs assertions for upstreams: made at the first start, kept where only the supervisor's user reads it. Its
 * public half lies beside it for upstreams to read.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when the file was damaged
 */
export async function loadAssertionKey({
  edge,
  assertionKeyFile,
  assertionJwksFile,
}: StackFolders): Promise<JWK> {
  mkdirSync(edge, { recursive: true, mode: 0o755 });
  const key = existsSync(assertionKeyFile) ? read(assertionKeyFile) : await make(assertionKeyFile);
  const { d: _, ...open } = key;
  const published = JSON.stringify({ keys: [{ ...open, use: "sig", alg: "EdDSA" }] });
  // Written only where it says something else: an edge that ends comes again on a full disk, too.
  if (!existsSync(assertionJwksFile) || readFileSync(assertionJwksFile, "utf8") !== published)
    write(assertionJwksFile, published, 0o644);
  return key;
}

function read(file: string): JWK {
  try {
    const key = JSON.parse(readFileSync(file, "utf8")) as JWK;
    if (
      key.kty === "OKP" &&
      key.crv === "Ed25519" &&
      typeof key.d === "string" &&
      typeof key.kid === "string"
    )
      return key;
    throw new Error("it is no Ed25519 private key");
  } catch (cause) {
    throw new CurtainwallError(
      "STACK_FILE_UNREADABLE",
      `The gateway's key in ${file} can't be read: ${(cause as Error).message}.`,
      {
        cause,
        hint: "Delete it to have a new one made; upstreams that keep a copy of the public key need the new one",
      },
    );
  }
}

async function make(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const key = await exportJWK(privateKey);
  key.kid = await calculateJwkThumbprint(key);
  write(file, JSON.stringify(key), 0o600);
  return key;
}

function write(file: string, text: string, mode: number): void {
  const fresh = `${file}.${process.pid}.new`;
  try {
    writeFileSync(fresh, text, { mode });
    chmodSync(fresh, mode);
    renameSync(fresh, file);
  } finally {
    rmSync(fresh, { force: true });
  }
}
