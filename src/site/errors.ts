import { CurtainwallError } from "../shared/index.ts";

/** Codes of the errors that `site` throws. Each has an anchor in `docs/errors.md`. */
export type SiteErrorCode =
  | "SITE_NOT_DECLARED"
  | "SITE_FOLDER_MISSING"
  | "SITE_FILE_REFUSED"
  | "SITE_PATH_INVALID"
  | "SITE_PATH_CONFLICT"
  | "SITE_COLLECTION_UNKNOWN"
  | "SITE_FRONT_MATTER_INVALID"
  | "SITE_CONTENT_INVALID"
  | "SITE_TEMPLATE_MISSING"
  | "SITE_TEMPLATE_INVALID"
  | "SITE_TEMPLATE_UNSAFE"
  | "SITE_TEMPLATE_FAILED"
  | "SITE_ISLAND_INVALID"
  | "SITE_ASSET_UNKNOWN"
  | "SITE_IMAGE_INVALID"
  | "SITE_STYLESHEET_REFUSED"
  | "SITE_PAGE_UNSAFE"
  | "SITE_DRAFTS_REFUSED"
  | "SITE_REDIRECT_INVALID"
  | "SITE_FEED_INVALID"
  | "SITE_LIST_INVALID"
  | "SITE_TAG_INVALID"
  | "SITE_TAG_CLASH"
  | "SITE_LOCALE_INVALID"
  | "SITE_SOURCE_FAILED"
  | "SITE_SOURCE_REFUSED"
  | "SITE_SOURCE_INVALID"
  | "SITE_SOURCE_OFFLINE"
  | "SITE_REFERENCE_BROKEN"
  | "SITE_REFERENCE_FOREIGN";

/** A place in a source file. */
export interface SourcePlace {
  /** Relative to the contract's folder, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line?: number | undefined;
}

/** What {@link siteError} says besides its message. */
export interface SiteErrorDetails {
  place?: SourcePlace | undefined;
  hint?: string;
  cause?: unknown;
}

/** Makes an error whose message begins with the place that it is about, as compilers write it. */
export function siteError(
  code: SiteErrorCode,
  message: string,
  { place, hint, cause }: SiteErrorDetails = {},
): CurtainwallError<SiteErrorCode> {
  const where = place === undefined ? "" : `${describePlace(place)}: `;
  return new CurtainwallError(code, where + message, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `content/pages/about.md:3` */
export function describePlace({ file, line }: SourcePlace): string {
  return line === undefined ? file : `${file}:${line}`;
}
