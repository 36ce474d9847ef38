import { startPageBuilder } from "../stack/index.ts";
import type { PageEdit, RecordFiles } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import { say, styled } from "./voice.ts";

/**
 * Makes the one page whose text changed, in the jail of the build before, and publishes the release with it. Undefined when anything is
 * otherwise than it should be: a whole build sees to that, and has the words for it.
 */
export async function buildPage(edit: PageEdit, files: RecordFiles): Promise<BuildResult | undefined> {
  const lines: string[] = [];
  try {
    const report = startPageBuilder(edit.again.start, edit.file, (line) => lines.push(line));
    // While the page is being made, what publishes it is loaded.
    const [bytes, { finishPage }] = await Promise.all([report, import("./finish-page.ts")]);
    const result = bytes === undefined ? undefined : await finishPage(edit, files, bytes);
    if (result !== undefined) for (const line of lines) say(styled("dim", line));
    return result;
  } catch {
    return undefined;
  }
}
