import { startPageBuilder } from "../../stack/index.ts";
import type { PageEdit, RecordFiles } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import { say, styled } from "../voice.ts";

/**
 * Makes the one page whose text changed, in the jail of the build before, and publishes the release with it. Undefined when anything is
 * otherwise than it should be: a whole build sees to that, and has the words for it.
 */
export async function buildPage(edit: PageEdit, files: RecordFiles): Promise<BuildResult | undefined> {
  const lines: string[] = [];
  const report = startPageBuilder(edit.again.start, edit.file, (line) => lines.push(line)).catch(
    () => undefined,
  );
  try {
    // While the page is being made, what publishes it is loaded, and a vault started that signs.
    const { finishPage } = await import("./finish-page.ts");
    const result = await finishPage(edit, files, report);
    if (result !== undefined) for (const line of lines) say(styled("dim", line));
    return result;
  } catch {
    return undefined;
  } finally {
    // A whole build reads what the page's process may still write.
    await report;
  }
}
