import type { ContractImages } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import type { SourceFile } from "../source.ts";
import { readPicture } from "./picture-facts.ts";
import type { PictureFacts } from "./picture-facts.ts";
import { hasVariants, variantName, variantWidths } from "./variants.ts";

/** What {@link createPicturePlacer} needs to know of the site. */
export interface PictureContext {
  /** The page's own address. */
  readonly url: string;
  /** A file of the assets folder by the path of either of its addresses, or a source's picture by where it came from. */
  readonly find: (path: string) => { readonly name: string; readonly file: SourceFile } | undefined;
  /** The hashed address of an asset, or of a variant of it. */
  readonly ask: (name: string) => string;
  /** The sizes that pictures are offered in; undefined: their own only. */
  readonly sizes: ContractImages | undefined;
}

/** A picture that a page shows. */
export interface PlacedPicture {
  /** Relative to the assets folder. */
  readonly name: string;
  /** With the hash of its bytes. */
  readonly address: string;
  /** Undefined for an SVG without a size of its own. */
  readonly facts: PictureFacts | undefined;
  /** It was asked for by an address of a source, at which visitors don't ask for it. */
  readonly isMoved: boolean;
}

/** What one `<source>` of a `<picture>` says. */
export interface PictureSource {
  readonly type: string;
  readonly srcset: string;
  readonly sizes: string;
}

/** How a picture is to be offered. */
export interface PictureWishes {
  readonly widths?: readonly number[] | undefined;
  readonly sizes?: string | undefined;
  /** How wide it is shown, in CSS pixels. Default: as wide as it is. */
  readonly width?: number | undefined;
}

/** Attributes that were written for an image. */
export interface ImageAttributes {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** Attributes that an image should have, where its author wrote none. */
export interface CompletedAttributes {
  readonly width?: number;
  readonly height?: number;
  readonly loading?: "lazy";
  readonly decoding: "async";
}

/** Knows the pictures of one page, in the order in which they stand there. */
export interface PicturePlacer {
  /** @throws {CurtainwallError} `SITE_IMAGE_INVALID` for a file that is no picture; undefined for an address of no asset */
  find(address: string): PlacedPicture | undefined;
  /** The sizes and formats that browsers can choose from; none where there is but the file itself. */
  offer(picture: PlacedPicture, wishes?: PictureWishes): readonly PictureSource[];
  /** What to add to the next image of the page. */
  complete(facts: PictureFacts | undefined, written: ImageAttributes): CompletedAttributes;
}

/** What covers less is a mark or an icon, and not what a visitor waits for. */
const largePixels = 10_000;

/**
 * Creates what completes the images of one page: their size, so that nothing moves when they arrive; who loads later. All up to the first
 * large one load at once, since a visitor most likely sees that first; the others when they are scrolled to.
 */
export function createPicturePlacer(context: PictureContext): PicturePlacer {
  let isLater = false;

  return {
    find(address) {
      const url = URL.parse(address, context.url);
      const isOwn = url !== null && url.origin === new URL(context.url).origin;
      const own = isOwn ? context.find(url.pathname) : undefined;
      const found = own ?? context.find(address);
      if (found === undefined) return undefined;
      const facts = factsOf(found.file);
      return {
        name: found.name,
        address: context.ask(found.name) + (own === undefined ? "" : (url?.hash ?? "")),
        isMoved: own === undefined,
        facts: facts === "sizeless" ? undefined : facts,
      };
    },
    offer({ name, facts }, wishes = {}) {
      return facts === undefined ? [] : sourcesOf(name, facts, wishes, context);
    },
    complete(facts, written) {
      const size = sizeOf(facts, written);
      const width = written.width ?? size?.width ?? 0;
      const height = written.height ?? size?.height ?? 0;
      const loading = isLater ? ({ loading: "lazy" } as const) : {};
      if (width * height >= largePixels) isLater = true;
      return { ...size, ...loading, decoding: "async" };
    },
  };
}

const known = new WeakMap<SourceFile, PictureFacts | "sizeless">();

function factsOf(file: SourceFile): PictureFacts | "sizeless" | undefined {
  const facts = known.get(file) ?? readPicture(file.bytes);
  // Icons of browsers' bars: nobody shows them, and nobody knows their size.
  if (facts === undefined && file.path.endsWith(".ico")) return "sizeless";
  if (facts === undefined) {
    throw siteError("SITE_IMAGE_INVALID", "a page shows it as an image, and it is no whole picture.", {
      place: { file: file.file },
      hint: "Known are PNG, JPEG, GIF, WebP, AVIF and SVG. Save it again with an image editor",
    });
  }
  known.set(file, facts);
  return facts;
}

/** Both sides, if one at least is missing; the one that was written decides. */
function sizeOf(
  facts: PictureFacts | undefined,
  { width, height }: ImageAttributes,
): { width: number; height: number } | undefined {
  if (facts === undefined || (width !== undefined && height !== undefined)) return undefined;
  const ratio = facts.width / facts.height;
  if (width !== undefined) return { width, height: Math.max(1, Math.round(width / ratio)) };
  if (height !== undefined) return { width: Math.max(1, Math.round(height * ratio)), height };
  return { width: facts.width, height: facts.height };
}

function sourcesOf(
  name: string,
  facts: PictureFacts,
  { widths: wanted, sizes: told, width }: PictureWishes,
  { sizes: offered, ask }: PictureContext,
): PictureSource[] {
  if (offered === undefined || offered.formats.length === 0 || !hasVariants(facts)) return [];
  const widths = variantWidths(wanted ?? offered.widths, facts.width);
  const shown = Math.min(width ?? facts.width, facts.width);
  const sizes = told ?? offered.sizes ?? `(min-width: ${shown}px) ${shown}px, 100vw`;
  return offered.formats.map((format) => ({
    type: `image/${format}`,
    srcset: widths.map((each) => `${ask(variantName(name, format, each))} ${each}w`).join(", "),
    sizes,
  }));
}
