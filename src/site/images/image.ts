import { h } from "preact";
import type { JSX } from "preact";
import { siteError } from "../errors.ts";
import type { PicturePlacer } from "./place-pictures.ts";

let placer: PicturePlacer | undefined;

/** Runs `render` with {@link Image} finding its pictures. Rendering is synchronous, so two pages can't mix. */
export function withPictures<T>(pictures: PicturePlacer | undefined, render: () => T): T {
  const before = placer;
  placer = pictures;
  try {
    return render();
  } finally {
    placer = before;
  }
}

/** Attributes of {@link Image}; others are those of `<img>`. */
export interface ImageProps extends Omit<JSX.IntrinsicElements["img"], "src" | "srcset" | "srcSet"> {
  /** Relative to the assets folder, `pictures/rye.jpg`; or a picture of a source, as its entry has it. */
  src: string;
  /** What is said to who can't see it; empty for an ornament. */
  alt: string;
  /** How wide it is shown, in CSS pixels. The height follows. Default: as wide as it is. */
  width?: number;
  height?: number;
  /** Widths that it is offered in, in pixels. Default: the contract's, or once and twice `width`. */
  widths?: readonly number[];
  /** How wide it is shown in which window, as in `<img sizes>`. Default: `width`, and never wider than the window. */
  sizes?: string;
}

/**
 * Shows a picture of the assets folder, or of a source: with its size, so that nothing moves when it arrives, and in the sizes and formats that the browser
 * can choose from.
 *
 * @throws {CurtainwallError} `SITE_ASSET_UNKNOWN`, `SITE_IMAGE_INVALID`
 */
export function Image({ src, alt, widths, sizes, ...attributes }: ImageProps): JSX.Element {
  const { width } = attributes;
  if (placer === undefined) {
    throw siteError("SITE_TEMPLATE_FAILED", `<Image src="${src}"> stands outside of a page's component.`);
  }
  const wanted = widths ?? (width === undefined ? undefined : [width, width * 2]);
  const isElsewhere = /^(?:https?:)?\/\//i.test(src);
  const picture = placer.find(isElsewhere ? src : `/${src.replace(/^\//, "")}`);
  if (picture === undefined)
    throw siteError(
      "SITE_ASSET_UNKNOWN",
      isElsewhere
        ? `no source has the picture ${src.slice(0, 120)}.`
        : `there is no "${src}" in the assets folder.`,
      isElsewhere
        ? { hint: 'Let its source fetch it:  pictures: { from: ["https://…"], fields: [["photo"]] }' }
        : {},
    );
  const image = h("img", { ...attributes, src: picture.address, alt });
  const sources = placer.offer(picture, { widths: wanted, sizes, width });
  if (sources.length === 0) return image;
  return h("picture", null, ...sources.map((source) => h("source", { ...source })), image);
}
