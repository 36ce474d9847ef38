import type { ContractSourcePictures } from "../../contract/index.ts";
import { imageAddresses } from "../images/image-tags.ts";
import { renderContent, renderHtml } from "./content.ts";
import type { CheckedItem } from "./source-entries.ts";

/** A picture that an entry shows. */
export interface PictureWish {
  readonly url: URL;
  /** As the entry writes it. */
  readonly written: string;
  /** For messages: the entry, and where in it. */
  readonly place: string;
}

/**
 * Finds the pictures of entries: in the fields that the contract names, and in their texts. What comes from other origins is left as it is, and
 * refused when a page would show it.
 *
 * @param base what relative addresses count from: the source's own
 */
export async function picturesWished(
  items: readonly CheckedItem[],
  { from, fields }: ContractSourcePictures,
  base: URL,
): Promise<PictureWish[]> {
  const wishes: PictureWish[] = [];
  const wish = (written: string, place: string): void => {
    const url = URL.parse(written, base);
    if (url === null || !from.has(url.origin)) return;
    url.hash = "";
    wishes.push({ url, written, place });
  };
  for (const item of items) {
    for (const path of fields)
      for (const written of textsAt(item.data, path)) wish(written, `${item.file}.${path.join(".")}`);
    for (const written of await addressesIn(item)) wish(written, item.file);
  }
  return wishes;
}

/** The texts that a way of fields leads to; `*` is each of a list. */
function textsAt(value: unknown, [field, ...rest]: readonly string[]): string[] {
  if (field === undefined) return typeof value === "string" && value !== "" ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  if (field === "*") return Array.isArray(value) ? value.flatMap((member) => textsAt(member, rest)) : [];
  return Object.hasOwn(value, field)
    ? textsAt((value as Readonly<Record<string, unknown>>)[field], rest)
    : [];
}

/** As the sanitiser leaves them, which alone is published. */
async function addressesIn({ body, format }: CheckedItem): Promise<string[]> {
  if (!/<img|!\[/i.test(body)) return [];
  try {
    const { html } = format === "html" ? await renderHtml(body) : await renderContent(body);
    return imageAddresses(html);
  } catch {
    // The build will say of this text what is wrong with it.
    return [];
  }
}
