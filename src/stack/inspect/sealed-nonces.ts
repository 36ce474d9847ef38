import { DatabaseSync } from "node:sqlite";

/** Of XAES-256-GCM, which stands before what it seals. */
const nonceLength = 24;

/** The nonces of all that lies sealed in a vault's file, in hexadecimal. No key is needed, and nothing is written. */
export function sealedNonces(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 2000 });
  try {
    return database
      .prepare("SELECT wrapped, sealed FROM versions")
      .all()
      .flatMap((row) => [row.wrapped, row.sealed])
      .filter((bytes) => bytes instanceof Uint8Array)
      .filter((bytes) => bytes.length > nonceLength)
      .map((bytes) => Buffer.from(bytes.subarray(0, nonceLength)).toString("hex"));
  } finally {
    database.close();
  }
}
