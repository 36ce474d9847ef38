import type { ReleaseManifest } from "../contract/index.ts";
import type { DeclaredEncoding, DeclaredFile, DeclaredSite } from "./site.ts";

/** Says of a release what a host must know: everything but the bytes. */
export function siteOfRelease(manifest: ReleaseManifest, origin: string): DeclaredSite {
  return {
    origin,
    files: manifest.files.map(({ path, headers, variants }): DeclaredFile => {
      const identity = variants.find(({ encoding }) => encoding === "identity");
      const encodings = variants.flatMap(({ encoding, sha256 }): DeclaredEncoding[] =>
        encoding === "identity" ? [] : [{ encoding, sha256 }],
      );
      return { path, headers, sha256: identity?.sha256 ?? "", encodings };
    }),
    redirects: manifest.redirects.map(({ path, to, status }) => ({ from: path, to, status })),
    ...(manifest.notFound === undefined ? {} : { notFound: manifest.notFound }),
  };
}
