import type { SharpConstructor } from "sharp";
import type { VariantOrder } from "../../pages/asset-shelf.ts";
import { siteError } from "../../errors.ts";
import { maxPixels } from "../../images/variants.ts";

/** Makes pictures of others. */
export interface ImageEncoder {
  /** Names it, its version and its settings. */
  readonly stamp: string;
  /** @throws {CurtainwallError} `SITE_IMAGE_INVALID` for a file whose pixels can't be read */
  encode(order: VariantOrder): Promise<Uint8Array>;
}

/** Written into addresses: whoever changes these changes those. */
const settings = {
  avif: { quality: 52, effort: 4 },
  webp: { quality: 78, effort: 4, smartSubsample: true },
} as const;
/** Seconds that one picture may take. */
const timeoutSeconds = 120;

/** Gives the package sharp, or throws where it is missing, or was made for another machine. */
export type SharpLoader = () => Promise<{ readonly default: SharpConstructor }>;

const installed: SharpLoader = () => import("sharp");

/** Loads sharp, which a site may have installed or not. */
export async function loadEncoder(load: SharpLoader = installed): Promise<ImageEncoder | undefined> {
  const sharp = await load().then(
    (module) => module.default,
    () => undefined,
  );
  if (sharp === undefined) return undefined;
  // One picture a thread: many at once take all cores, and each comes out the same on any number of them.
  sharp.concurrency(1);
  sharp.cache(false);
  return {
    stamp: JSON.stringify([sharp.versions, settings, maxPixels]),
    async encode({ source, format, width, height }) {
      try {
        return await sharp(source.bytes, { limitInputPixels: maxPixels, failOn: "error" })
          .timeout({ seconds: timeoutSeconds })
          .autoOrient()
          .resize({ width, height, fit: "fill" })
          .toFormat(format, settings[format])
          .toBuffer();
      } catch (cause) {
        throw siteError("SITE_IMAGE_INVALID", `no ${format} can be made of it: ${(cause as Error).message}`, {
          place: { file: source.file },
          hint: "It is damaged, most likely: save it again with an image editor",
          cause,
        });
      }
    },
  };
}
