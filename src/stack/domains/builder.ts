import { createWriteStream, readFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import { isCurtainwallError } from "../../shared/index.ts";
import { buildSite } from "../../site/index.ts";
import type { SourceAnswer } from "../../site/index.ts";
import { reportFd } from "../builder/messages.ts";
import type { BuilderMessage, BuilderOrder } from "../builder/messages.ts";
import { recordMissed } from "../builder/record-missed.ts";
import { loadContract } from "../contract/load-contract.ts";

/**
 * Builds a site of ours where templates can do no harm: without network, keys or other processes. All that leaves is a report on one
 * descriptor, with the release behind its last line.
 */

const order = JSON.parse(process.argv[2] ?? "{}") as BuilderOrder;
const out = createWriteStream("", { fd: reportFd, autoClose: false });
const say = (message: BuilderMessage): void => void out.write(`${JSON.stringify(message)}\n`);

try {
  const missed = recordMissed();
  const { contract, root } = await loadContract(order.file);
  const { release, pages, files, bytes, warnings, untranslated, notes } = await buildSite({
    root,
    contract,
    cacheFolder: order.cacheFolder,
    drafts: order.drafts,
    answers:
      order.answersFile === undefined
        ? []
        : (JSON.parse(readFileSync(order.answersFile, "utf8")) as SourceAnswer[]),
    onProgress: (progress) => say({ type: "progress", ...progress }),
  });
  say({
    type: "built",
    releaseBytes: release.length,
    pages: pages.map(({ path, policy }) => ({ path, policy })),
    files,
    bytes,
    warnings: warnings.map(({ file, line, message }) => ({
      file,
      message,
      ...(line === undefined ? {} : { line }),
    })),
    untranslated: untranslated.map(({ locale, files: missing }) => ({ locale, files: [...missing] })),
    missed: missed(),
    ...(notes === undefined ? {} : { notes }),
  });
  out.write(release);
} catch (error) {
  if (!isCurtainwallError(error)) throw error;
  const { code, message, hint } = error;
  say({ type: "failed", code, message, ...(hint === undefined ? {} : { hint }) });
}
out.end();
await finished(out);
// A template may have left a timer or a handle behind.
process.exit(0);
