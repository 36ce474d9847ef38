import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateFolder } from "../settings.ts";

/** What each of the others gave the bakery, as they have it in their own books. The bakery keeps its copies in its vault. */
export interface IssuedKeys {
  /** Opens the courier's API. */
  readonly courier: string;
  /** Opens the postmaster's API. */
  readonly mail: string;
  /** Opens the shop's list of payments. */
  readonly shop: string;
  /** Signs what the till sends. */
  readonly till: string;
}

const folder = join(stateFolder, "example");
const file = join(folder, "issued-keys.json");

/** Reads the keys, and makes them first if there are none: another set on each machine. */
export function issuedKeys(): IssuedKeys {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as IssuedKeys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = (): string => randomBytes(24).toString("base64url");
  const made = {
    courier: key(),
    mail: key(),
    shop: key(),
    till: `whsec_${randomBytes(32).toString("base64")}`,
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, JSON.stringify(made), { mode: 0o600, flag: "wx" });
    return made;
  } catch (error) {
    // Another of the bakery's processes was faster.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return issuedKeys();
    throw error;
  }
}
