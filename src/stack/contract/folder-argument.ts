import { relative } from "node:path";

/** A site's folder as it is written after a command, in a hint that works where one stands: nothing for the present folder. */
export function folderArgument(root: string): string {
  const path = relative(process.cwd(), root);
  return path === "" ? "" : ` ${path}`;
}
