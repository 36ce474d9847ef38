import type { ContractTags } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import type { TagLink } from "../template/page-props.ts";

/**
 * Reads the tags in an entry's front matter, each once, with its address.
 *
 * @param base where the tags' pages are: `/news/tags/`
 * @throws {CurtainwallError} `SITE_TAG_INVALID` for tags that are no list of words, or of which one gives no address
 */
export function readTags(
  data: unknown,
  { slugs }: Pick<ContractTags, "slugs">,
  base: string,
  file: string,
): readonly TagLink[] {
  const { tags = [] } = (data ?? {}) as { tags?: unknown };
  const place = { file };
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string" && tag.trim() !== "")) {
    throw siteError("SITE_TAG_INVALID", "its tags are no list of words.", {
      place,
      hint: "Write  tags: [rye, sourdough]  and  tags: z.array(z.string().min(1))  in the collection's schema",
    });
  }
  const names = new Set(tags.map((tag: string) => tag.normalize("NFC").trim().replaceAll(/\s+/g, " ")));
  return [...names].map((name) => {
    const slug = slugs.get(name) ?? slugOf(name);
    if (slug !== "") return { name, slug, path: `${base}${slug}/` };
    throw siteError(
      "SITE_TAG_INVALID",
      `its tag ${JSON.stringify(name)} has no letters that an address can be made of.`,
      {
        place,
        hint: `Say which address it has, in the contract's site.tags:  slugs: { ${JSON.stringify(name)}: "…" }`,
      },
    );
  });
}

/** Letters that are no letter with a mark, which Unicode therefore does not take apart. */
const spellings: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ð: "d",
  þ: "th",
  ł: "l",
  đ: "d",
  ħ: "h",
  ı: "i",
  ŋ: "ng",
};

/**
 * The last part of a tag's address: its letters without their marks, and its digits. Empty if it has none of the Latin alphabet, or
 * others beside them, which would vanish: what is lost could be what tells two tags apart.
 */
export function slugOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[ßæœøðþłđħıŋ]/g, (letter) => spellings[letter] ?? "");
  if (/[^\p{ASCII}]/u.test(plain.replaceAll(/[^\p{L}\p{N}]/gu, ""))) return "";
  // Two names that differ in a sign alone (C, C++, C#) must not share an address.
  return plain
    .replaceAll("+", " plus ")
    .replaceAll("#", " sharp ")
    .replaceAll("&", " and ")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}

/** Tags in use, by address, with who used them first. */
export class TagIndex {
  readonly #tags = new Map<string, { link: TagLink; file: string }>();

  /** @throws {CurtainwallError} `SITE_TAG_CLASH` when another tag has the address already */
  add(link: TagLink, file: string): void {
    const known = this.#tags.get(link.slug);
    if (known === undefined) this.#tags.set(link.slug, { link, file });
    else if (known.link.name !== link.name) {
      const [mine, other] = [JSON.stringify(link.name), JSON.stringify(known.link.name)];
      throw siteError(
        "SITE_TAG_CLASH",
        `its tag ${mine} has the address ${link.path}, as has ${other} in ${known.file}.`,
        {
          place: { file },
          hint: `Write one of them in both files, or give one another address in the contract's site.tags:  slugs: { ${mine}: "…" }`,
        },
      );
    }
  }

  /** Sorted by address. */
  list(): TagLink[] {
    return [...this.#tags.values()]
      .map(({ link }) => link)
      .sort((left, right) => (left.slug < right.slug ? -1 : 1));
  }
}
