import { readFileSync } from "node:fs";
import type { AcceptedRelease } from "../../contract/index.ts";
import { writeWhole } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackFolders } from "../folders.ts";
import type { StackErrorCode } from "../errors.ts";

/**
 * What this site served last: below it nothing is taken again. Undefined if it never served anything.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when the file was damaged: without it an old release could come back
 */
export function readAccepted({ acceptedFile }: StackFolders): AcceptedRelease | undefined {
  try {
    const { sequence, digest } = JSON.parse(readFileSync(acceptedFile, "utf8")) as Partial<AcceptedRelease>;
    if (!Number.isSafeInteger(sequence) || typeof digest !== "string") throw new Error("it names no release");
    return { sequence: sequence as number, digest };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CurtainwallError<StackErrorCode>(
      "STACK_FILE_UNREADABLE",
      `The record of the last release in ${acceptedFile} can't be read: ${(cause as Error).message}.`,
      {
        cause,
        hint: "If you are sure which release is the newest, delete the file: the next start writes it anew",
      },
    );
  }
}

/** Remembers what is served: whole or not at all, and on disk when this returns. */
export function writeAccepted({ acceptedFile }: StackFolders, accepted: AcceptedRelease): void {
  writeWhole(acceptedFile, Buffer.from(JSON.stringify(accepted)), 0o600);
}
