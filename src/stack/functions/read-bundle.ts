import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { CurtainwallError } from "../../shared/index.ts";
import type { AcceptedBundle } from "./accepted-bundles.ts";

/**
 * Reads a function's code, once: what was checked is what runs.
 *
 * @throws {CurtainwallError} `FUNCTIONS_BUNDLE_CHANGED`
 */
export function readBundle(name: string, { file, sha256 }: AcceptedBundle): Uint8Array {
  const bytes = readFileSync(file);
  if (hash("sha256", bytes, "hex") === sha256) return bytes;
  throw new CurtainwallError(
    "FUNCTIONS_BUNDLE_CHANGED",
    `The code of the function ${name} is not what was accepted, and is not run.`,
    { hint: "Build it again:  npx curtainwall build" },
  );
}
