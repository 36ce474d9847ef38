import { relative, sep } from "node:path";

/** A file's path relative to a folder, with `/`. */
export function toUrlPath(root: string, path: string): string {
  return relative(root, path).split(sep).join("/");
}
