import type { SourceFile } from "../source.ts";
import { readPicture } from "./picture-facts.ts";
import { hasVariants } from "./variants.ts";

/** The files that can be offered in other sizes. */
export function photographsIn(files: readonly SourceFile[]): SourceFile[] {
  return files.filter(({ path, bytes }) => {
    if (!/\.(?:png|jpe?g|webp|avif)$/i.test(path)) return false;
    const facts = readPicture(bytes);
    return typeof facts === "object" && hasVariants(facts);
  });
}
