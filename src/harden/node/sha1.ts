import { createHash } from "node:crypto";

/** SHA-1, hexadecimal. It names files in feeds of advisories; nothing is trusted because of it. */
export function sha1(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}
