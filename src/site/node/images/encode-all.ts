import { hash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { VariantOrder } from "../../pages/asset-shelf.ts";
import type { ImageEncoder } from "./encoder.ts";
import { openPictureCache } from "./picture-cache.ts";

/** Options of {@link encodeAll}. */
export interface EncodeOptions {
  readonly encoder: ImageEncoder;
  /** Where pictures are kept from one build to the next. */
  readonly folder: string;
  readonly onPicture: (done: number) => void;
}

/**
 * Makes the pictures that pages asked for, on all cores. What was made before of the same bytes, in the same way, is taken from the
 * folder, each as soon as it is whole, so that a build that was ended goes on where it was; what this one did not need goes from there.
 *
 * @throws {CurtainwallError} `SITE_IMAGE_INVALID`
 */
export async function encodeAll(
  orders: readonly VariantOrder[],
  { encoder, folder, onPicture }: EncodeOptions,
): Promise<Uint8Array[]> {
  const cache = openPictureCache(folder);
  const pictures: Uint8Array[] = Array.from({ length: orders.length });
  const waiting = orders.entries();
  let done = 0;
  const work = async (): Promise<void> => {
    for (const [index, order] of waiting) {
      pictures[index] = await cache.take(keyOf(order, encoder), () => encoder.encode(order));
      onPicture(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), orders.length) }, work));
  cache.tidy();
  return pictures;
}

const digests = new WeakMap<Uint8Array, string>();

function keyOf({ source: { bytes }, format, width, height }: VariantOrder, { stamp }: ImageEncoder): string {
  const digest = digests.get(bytes) ?? hash("sha256", bytes);
  digests.set(bytes, digest);
  return hash("sha256", JSON.stringify([digest, format, width, height, stamp]));
}
