import type { SourceAnswer } from "../content/source-entries.ts";
import type { SourceFile } from "../source.ts";
import { decodeReferences, rewriteImages } from "./image-tags.ts";

/** A picture of a source's entries, as it was fetched. */
export interface SourcePicture {
  /** Where it was fetched. */
  readonly url: string;
  /** How entries write that. */
  readonly written: readonly string[];
  /** Relative to the assets folder, in which it does not lie: `pictures/products/rye-3f2a9c1b.jpg`. */
  readonly path: string;
  readonly base64: string;
}

/** The pictures of sources as files, which are published as those of the assets folder are. */
export function pictureFiles(answers: readonly SourceAnswer[]): SourceFile[] {
  const pictures = answers.flatMap((answer) => answer.pictures ?? []);
  return pictures.map(({ path, url, base64 }) => ({
    path,
    file: url.replace(/[?#].*$/s, ""),
    bytes: Uint8Array.fromBase64(base64),
  }));
}

/** Where on this site the pictures of sources lie, by collection and by what entries write. */
export function pictureAddresses(
  answers: readonly SourceAnswer[],
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const addresses = new Map<string, Map<string, string>>();
  for (const { collection, pictures = [] } of answers) {
    const own = addresses.get(collection) ?? new Map<string, string>();
    for (const { written, path } of pictures) for (const address of written) own.set(address, `/${path}`);
    addresses.set(collection, own);
  }
  return addresses;
}

/**
 * Where on this site the pictures of all sources lie, by what templates may write. An address without an origin that two sources write is
 * none: it would be a guess whose it is.
 */
export function pictureAliases(answers: readonly SourceAnswer[]): ReadonlyMap<string, string> {
  const aliases = new Map<string, { path: string; url: string }>();
  const doubtful = new Set<string>();
  for (const { url, written, path } of answers.flatMap((answer) => answer.pictures ?? [])) {
    for (const address of written) {
      const known = aliases.get(address);
      if (known === undefined) aliases.set(address, { path: `/${path}`, url });
      else if (known.url !== url) doubtful.add(address);
    }
  }
  return new Map(
    [...aliases].flatMap(([address, { path }]) => (doubtful.has(address) ? [] : [[address, path] as const])),
  );
}

/** Lets a sanitised text show its pictures from this site. */
export function movePictures(html: string, addresses: ReadonlyMap<string, string> | undefined): string {
  if (addresses === undefined || addresses.size === 0) return html;
  return rewriteImages(html, (attributes) => {
    const address = addresses.get(decodeReferences(attributes.get("src") ?? ""));
    return address === undefined ? undefined : new Map(attributes).set("src", address);
  });
}
