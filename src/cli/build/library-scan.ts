import { readFileSync } from "node:fs";
import { createLibraryScan } from "../../harden/index.ts";
import type { LibraryReport } from "../../harden/index.ts";
import { sha1, timeLimit } from "../../harden/node.ts";
import { readPage } from "../../html/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { CliErrorCode } from "../errors.ts";

/** Recognises browser libraries in files, and in what pages load from elsewhere. */
export interface FileLibraryScan {
  inspect(file: { readonly path: string; readonly bytes: Uint8Array }): void;
  finish(): LibraryReport;
}

/**
 * Opens a feed of advisories.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` when the file is no JSON or the day is none, `HARDEN_FEED_INVALID`
 */
export function openLibraryScan(file: string, day: string | undefined): FileLibraryScan {
  const feedDate = day === undefined ? undefined : new Date(`${day}T00:00:00Z`);
  if (feedDate !== undefined && Number.isNaN(feedDate.getTime()))
    throw misuse(`--advisories-date ${day} is no day.`, "Write it like 2026-08-22");
  const scan = createLibraryScan({ feed: readFeed(file), feedDate, timeLimit, sha1 });
  return {
    inspect({ path, bytes }) {
      scan.inspectFile({ path, bytes });
      if (!/\.x?html?$/i.test(path)) return;
      for (const { kind, address } of readPage(bytes).resources)
        if (kind === "script" && /^(?:https?:)?\/\//i.test(address)) scan.inspectAddress(address);
    },
    finish: () => scan.finish(),
  };
}

function readFeed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw misuse(
      `The feed ${file} can't be read as JSON.`,
      "Name the file jsrepository-v4.json of RetireJS/retire.js",
      cause,
    );
  }
}

function misuse(message: string, hint: string, cause?: unknown): CurtainwallError {
  const code: CliErrorCode = "CLI_USAGE_INVALID";
  return new CurtainwallError(code, message, { hint, cause });
}
