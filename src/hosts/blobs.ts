import type { AnsweredFile } from "./answers.ts";
import type { Compression, Placement } from "./site.ts";

/** Accept-Encoding takes this coding: it is named, and not with weight zero. Whether it is liked best is not asked. */
export const acceptPatterns: Readonly<Record<Compression, string>> = {
  br: accepts("br"),
  gzip: accepts("(?:x-)?gzip"),
  zstd: accepts("zstd"),
};

function accepts(coding: string): string {
  return `(?:^|,)[ \\t]*${coding}[ \\t]*(?:;[ \\t]*q=(?:1(?:\\.0{0,3})?|0\\.[0-9]{0,2}[1-9][0-9]{0,2})[ \\t]*)?(?:,|$)`;
}

/** The compressions that any file has. */
export function compressionsOf(files: readonly AnsweredFile[]): Compression[] {
  const used = new Set(files.flatMap((file) => file.encodings.map(({ encoding }) => encoding)));
  return (["br", "zstd", "gzip"] as const).filter((compression) => used.has(compression));
}

/** Bytes lie under their digest: no name of a site can be misread by a file system, and equal bytes lie there once. */
export function blobPlacements(files: readonly AnsweredFile[]): Placement[] {
  const placements = new Map<string, Placement>();
  for (const { path, sha256, encodings } of files) {
    for (const form of [{ encoding: "identity" as const, sha256 }, ...encodings]) {
      const file = `blobs/${form.sha256}`;
      if (!placements.has(file)) placements.set(file, { file, path, encoding: form.encoding });
    }
  }
  return [...placements.values()];
}
