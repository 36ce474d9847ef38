import { nearest } from "../../shared/index.ts";
import type { AssetShelf } from "../pages/asset-shelf.ts";
import { siteError } from "../errors.ts";
import type { SourcePlace } from "../errors.ts";
import { findAddress } from "./find-address.ts";
import type { Reference, ReferenceKind } from "./page-facts.ts";
import type { AddressBook } from "../paths.ts";
import type { PlannedPage } from "../pages/planned-page.ts";

/** An address in a page that leads somewhere on this site. */
export interface OwnReference {
  readonly kind: ReferenceKind;
  /** As written. */
  readonly address: string;
  /** Decoded. */
  readonly path: string;
  /** Decoded, without the `#`; empty if there is none. */
  readonly fragment: string;
  readonly integrity?: string | undefined;
}

/** What a page was made of, to say where an address was written. */
export type PageSource = Pick<PlannedPage, "file" | "text" | "collection">;

/** What references are checked against. */
export interface ReferenceContext {
  readonly origin: string;
  readonly addresses: AddressBook;
  readonly assets: AssetShelf;
  /** Texts of the templates' sources, by file. */
  readonly templateSources: ReadonlyMap<string, string>;
  /** The file of a collection's template. */
  readonly templateFileOf: (collection: string) => string | undefined;
}

/**
 * Picks out what leads to this site. Links may lead anywhere else, nothing else may.
 *
 * @throws {CurtainwallError} `SITE_REFERENCE_FOREIGN`
 */
export function ownReferences(
  references: readonly Reference[],
  page: PageSource,
  context: ReferenceContext,
): OwnReference[] {
  const own: OwnReference[] = [];
  for (const { kind, address, url, integrity } of references) {
    if (url.origin === context.origin) {
      const [fragment = ""] = decodePath(url.hash.slice(1)).split(":~:", 1);
      own.push({
        kind,
        address,
        path: decodePath(url.pathname),
        fragment,
        ...(integrity === undefined ? {} : { integrity }),
      });
    } else if (kind !== "link") {
      throw siteError(
        "SITE_REFERENCE_FOREIGN",
        `its page would load ${address.slice(0, 120)} from another site.`,
        {
          place: placeOf(address, page, context),
          hint: "Put the file into the assets folder; the policy of the pages allows no other origin",
        },
      );
    }
  }
  return own;
}

/** @throws {CurtainwallError} `SITE_REFERENCE_BROKEN` or `SITE_PAGE_UNSAFE` */
export function assertReference(
  { kind, address, path, integrity }: OwnReference,
  page: PageSource,
  context: ReferenceContext,
): void {
  const { addresses, assets } = context;
  if (!addresses.has(path) && !addresses.isApi(path)) {
    throw siteError(
      "SITE_REFERENCE_BROKEN",
      `its page leads to ${address.slice(0, 120)}, where nothing is.`,
      {
        place: placeOf(address, page, context),
        hint: addresses.has(`${path}/`) ? `Write ${path}/` : "Correct the address, or add the page or file",
      },
    );
  }
  if (
    (kind === "script" || kind === "style") &&
    (integrity === undefined || integrity !== assets.integrityOf(path))
  ) {
    throw siteError(
      "SITE_PAGE_UNSAFE",
      `its page loads ${address.slice(0, 120)} without the integrity of its bytes.`,
      {
        place: placeOf(address, page, context),
        hint: `Write  {asset("${path.slice(1)}")}  in the template: it gives an address that the build knows`,
      },
    );
  }
}

/** @throws {CurtainwallError} `SITE_REFERENCE_BROKEN` when the page is there and the part is not */
export function assertFragment(
  { address, path, fragment: name }: OwnReference,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
  page: PageSource,
  context: ReferenceContext,
): void {
  const there = anchors.get(path);
  // Of files that are no pages nothing is known; an empty name and "top" are every page's beginning.
  if (there === undefined || name === "" || name.toLowerCase() === "top" || there.has(name)) return;
  const close = there.has(`h-${name}`) ? `h-${name}` : nearest(name, [...there]);
  throw siteError(
    "SITE_REFERENCE_BROKEN",
    `its page leads to ${address.slice(0, 120)}, and that page has no such part.`,
    {
      place: placeOf(address, page, context),
      hint:
        close === undefined
          ? "A heading's address is #h- and its words, in lower case, with hyphens"
          : `Write  ${address.slice(0, address.indexOf("#"))}#${close}`,
    },
  );
}

function placeOf(
  address: string,
  { file, text, collection }: PageSource,
  { templateSources, templateFileOf }: ReferenceContext,
): SourcePlace {
  return findAddress(address, { file, text, template: templateFileOf(collection) ?? file, templateSources });
}

function decodePath(pathname: string): string {
  if (!pathname.includes("%")) return pathname;
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}
