import type { Readable } from "node:stream";
import { CurtainwallError } from "../../shared/index.ts";
import { BuilderMessage } from "./messages.ts";

/** What a builder said at its end. */
export type BuilderReport =
  | { readonly built: Extract<BuilderMessage, { type: "built" }>; readonly release: Uint8Array }
  | { readonly failed: Extract<BuilderMessage, { type: "failed" }> }
  /** It ended before it had said all. */
  | undefined;

/** The longest line: every page with its policy, of a site with a hundred thousand. */
const maxLineBytes = 256 * 2 ** 20;
const newline = 10;

/**
 * Reads a builder's report: lines of JSON, and behind the last one the release.
 *
 * @throws {CurtainwallError} `STACK_BUILD_FAILED` for a report that no builder of ours writes
 */
export async function readReport(
  from: Readable,
  onProgress: (progress: Extract<BuilderMessage, { type: "progress" }>) => void,
): Promise<BuilderReport> {
  let line: Uint8Array[] = [];
  let lineBytes = 0;
  let built: Extract<BuilderMessage, { type: "built" }> | undefined;
  let failed: Extract<BuilderMessage, { type: "failed" }> | undefined;
  let release = new Uint8Array(0);
  let filled = 0;

  const read = (chunk: Uint8Array): void => {
    let at = 0;
    while (at < chunk.length) {
      if (failed !== undefined) throw unreadable("it goes on after its end");
      if (built !== undefined) {
        const rest = chunk.subarray(at);
        if (filled + rest.length > release.length) throw unreadable("more bytes than it announced");
        release.set(rest, filled);
        filled += rest.length;
        return;
      }
      const end = chunk.indexOf(newline, at);
      const part = chunk.subarray(at, end < 0 ? chunk.length : end);
      line.push(part);
      lineBytes += part.length;
      if (lineBytes > maxLineBytes) throw unreadable("a line is too long");
      if (end < 0) return;
      const message = parseLine(Buffer.concat(line, lineBytes));
      line = [];
      lineBytes = 0;
      at = end + 1;
      if (message.type === "progress") onProgress(message);
      else if (message.type === "failed") failed = message;
      else {
        built = message;
        release = new Uint8Array(message.releaseBytes);
      }
    }
  };

  for await (const chunk of from) read(chunk as Uint8Array);
  if (failed !== undefined) return { failed };
  return built !== undefined && filled === release.length ? { built, release } : undefined;
}

function parseLine(bytes: Buffer): BuilderMessage {
  try {
    return BuilderMessage.parse(JSON.parse(bytes.toString()));
  } catch {
    throw unreadable("a line is none of its messages");
  }
}

const unreadable = (what: string): CurtainwallError =>
  new CurtainwallError("STACK_BUILD_FAILED", `The builder's report can't be read: ${what}.`, {
    hint: "A template may have written to descriptor 3, which is not a template's",
  });
