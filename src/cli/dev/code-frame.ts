import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { printable } from "../../shared/index.ts";

/** A place as errors write it: a file of the project, a line and maybe a column. */
const place = /([\w@./-]+\.[cm]?[jt]sx?):(\d{1,7})(?::(\d{1,7}))?/;
/** Lines that are shown before and behind. */
const around = 2;

/** Shows the lines that an error points to. Undefined: it points to none of the project's. */
export function codeFrame(root: string, error: unknown): string | undefined {
  const [, file = "", line = "", column] =
    place.exec(error instanceof Error ? error.message.slice(0, 8192) : "") ?? [];
  if (file === "") return undefined;
  let lines: string[];
  try {
    lines = readFileSync(resolve(root, file), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const at = Number(line);
  const first = Math.max(1, at - around);
  const shown = lines.slice(first - 1, at + around);
  const width = String(first + shown.length - 1).length;
  return shown
    .flatMap((text, index) => {
      const number = first + index;
      const own = `${number === at ? ">" : " "} ${String(number).padStart(width)} | ${printable(text)}`;
      if (number !== at || column === undefined) return [own];
      return [own, `  ${" ".repeat(width)} | ${" ".repeat(Number(column) - 1)}^`];
    })
    .join("\n");
}
