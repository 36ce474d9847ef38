import { extensionOf } from "../media-types.ts";
import type { SiteWarning, SourceFile } from "../source.ts";
import { readPicture } from "./picture-facts.ts";
import { stripMetadata } from "./strip-metadata.ts";

const pictureEndings = new Set(["png", "jpg", "jpeg", "gif", "webp", "avif"]);

/** The files of the assets folder, pictures among them without what tells about their owners. */
export function bareAssets(files: readonly SourceFile[]): { files: SourceFile[]; warnings: SiteWarning[] } {
  const warnings: SiteWarning[] = [];
  const bare = files.map((file) => {
    if (!pictureEndings.has(extensionOf(file.path))) return file;
    const facts = readPicture(file.bytes);
    const bytes = typeof facts === "object" ? stripMetadata(file.bytes, facts.format) : undefined;
    if (bytes !== undefined) return { ...file, bytes };
    const message = "it is no whole picture: what else stands in it, like where it was taken, is published";
    warnings.push({ file: file.file, line: undefined, message });
    return file;
  });
  return { files: bare, warnings };
}
