import { inertPolicy } from "../../contract/index.ts";
import { createFileView } from "../../harden/index.ts";
import type { SiteFileView } from "../../harden/index.ts";
import { sha256, toBase64, toHex } from "../../shared/index.ts";
import { siteError } from "../errors.ts";
import { readPicture } from "../images/picture-facts.ts";
import { parseVariantName } from "../images/variants.ts";
import type { Variant } from "../images/variants.ts";
import { extensionOf, knownExtensions, mediaTypeOf } from "../media-types.ts";
import { assetPath } from "../paths.ts";
import type { AddressBook } from "../paths.ts";
import type { IslandFacts, SiteFile, SourceFile } from "../source.ts";
import { inspectStylesheet } from "../checks/stylesheet.ts";
import type { StylesheetFacts } from "../checks/stylesheet.ts";

/** A picture that is to be made of another, under an address of its own. */
export interface VariantOrder extends Variant {
  readonly path: string;
  readonly source: SourceFile;
}

/** The files of the assets folder, each under its own address and, when a template asks for that, under one with its hash. */
export class AssetShelf {
  readonly #files = new Map<string, SourceFile>();
  readonly #hashed = new Map<string, { file: SourceFile; integrity: string }>();
  readonly #hashedAddresses = new Map<string, string>();
  readonly #stylesheets = new Map<string, StylesheetFacts>();
  readonly #views = new Map<SourceFile, SiteFileView>();
  readonly #asked = new Set<string>();
  readonly #variants = new Map<string, VariantOrder>();
  readonly #addresses: AddressBook;
  /** Names of files by other names for them. */
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #encoder: string | undefined;

  private constructor(
    addresses: AddressBook,
    encoder: string | undefined,
    aliases: ReadonlyMap<string, string>,
  ) {
    this.#addresses = addresses;
    this.#encoder = encoder;
    this.#aliases = aliases;
  }

  /**
   * Takes the files in, and claims their addresses.
   *
   * @param encoder names what makes variants of pictures, and how: another one may make other bytes, which get other addresses
   * @param aliases paths of files by what else may be asked for: where pictures of sources came from
   */
  static async create(
    sources: readonly SourceFile[],
    addresses: AddressBook,
    encoder?: string,
    aliases: ReadonlyMap<string, string> = new Map(),
  ): Promise<AssetShelf> {
    const stamp = encoder === undefined ? undefined : toHex(await sha256(encoder)).slice(0, 8);
    const shelf = new AssetShelf(addresses, stamp, aliases);
    for (const file of sources) await shelf.#add(file);
    for (const [path, facts] of shelf.#stylesheets) shelf.#assertStylesheet(path, facts);
    return shelf;
  }

  async #add(file: SourceFile): Promise<void> {
    const place = { file: file.file };
    const path = assetPath(file.path, place);
    if (mediaTypeOf(path) === undefined) {
      throw siteError("SITE_FILE_REFUSED", `files that end in ".${extensionOf(path)}" are not published.`, {
        place,
        hint: `Known endings: ${knownExtensions.join(", ")}`,
      });
    }
    if (file.island === undefined) {
      this.#addresses.claim(path, place);
      this.#files.set(path, file);
    }
    const digest = await sha256(file.bytes);
    const hashed = `/assets${path.replace(/(\.[^./]+)$/, `.${toHex(digest).slice(0, 16)}$1`)}`;
    this.#hashedAddresses.set(path, hashed);
    this.#hashed.set(hashed, { file, integrity: `sha256-${toBase64(digest)}` });
    if (extensionOf(path) === "css")
      this.#stylesheets.set(path, inspectStylesheet(new TextDecoder().decode(file.bytes)));
  }

  #assertStylesheet(path: string, { problem, addresses: loaded }: StylesheetFacts): void {
    const file = this.#files.get(path)?.file ?? path;
    if (problem !== undefined) {
      throw siteError("SITE_STYLESHEET_REFUSED", problem.message, {
        place: { file, line: problem.line },
        hint: problem.hint,
      });
    }
    const broken = loaded.find((address) => !this.#addresses.has(address.replace(/[?#].*$/, "")));
    if (broken !== undefined)
      throw siteError("SITE_REFERENCE_BROKEN", `it loads ${broken.slice(0, 120)}, where nothing is.`, {
        place: { file },
      });
  }

  /** Whether {@link AssetShelf.address} knows a name. */
  has(name: string): boolean {
    const variant = parseVariantName(name);
    if (variant !== undefined) return this.#encoder !== undefined && this.has(variant.name);
    return this.#hashedAddresses.has(this.#pathOf(name));
  }

  #pathOf(name: string): string {
    const path = name.startsWith("/") ? name : `/${name}`;
    return this.#hashedAddresses.has(path) ? path : (this.#aliases.get(name) ?? path);
  }

  /** A file by the path of either of its addresses, or by an alias. */
  find(path: string): { readonly name: string; readonly file: SourceFile } | undefined {
    const found =
      this.#hashed.get(path) ?? this.#hashed.get(this.#hashedAddresses.get(this.#pathOf(path)) ?? "");
    return found && { name: found.file.path, file: found.file };
  }

  /** The hashed address of a file, or of a variant of a picture, which is published from now on. */
  address(name: string): string {
    const variant = parseVariantName(name);
    if (variant !== undefined) return this.#variantAddress(variant);
    const path = this.#pathOf(name);
    const hashed = this.#hashedAddresses.get(path);
    if (hashed === undefined) {
      const end = path.split("/").at(-1);
      const near = [...this.#files.keys()].filter((other) => other.split("/").at(-1) === end);
      throw siteError("SITE_ASSET_UNKNOWN", `there is no "${name}" in the assets folder.`, {
        hint:
          near.length > 0
            ? `Did you mean "${near[0]?.slice(1)}"?`
            : "Names are relative to that folder, like pictures/rye.svg",
      });
    }
    if (!this.#asked.has(hashed))
      this.#addresses.claim(hashed, { file: this.#files.get(path)?.file ?? path });
    this.#asked.add(hashed);
    return hashed;
  }

  #variantAddress({ name, format, width }: NonNullable<ReturnType<typeof parseVariantName>>): string {
    const original = this.address(name);
    const path = original.replace(/\.[^./]+$/, `.${width}-${this.#encoder ?? ""}.${format}`);
    const source = this.#hashed.get(original)?.file;
    if (source === undefined || this.#variants.has(path)) return path;
    const facts = readPicture(source.bytes);
    if (typeof facts !== "object") return path;
    const height = Math.max(1, Math.round((width * facts.height) / facts.width));
    this.#addresses.claim(path, { file: source.file });
    this.#variants.set(path, { path, source, format, width, height });
    return path;
  }

  /** The pictures that pages asked for and that are to be made. */
  variants(): VariantOrder[] {
    return [...this.#variants.values()];
  }

  /** The `integrity` of a hashed address that was asked for. */
  integrityOf(address: string): string | undefined {
    return this.#asked.has(address) ? this.#hashed.get(address)?.integrity : undefined;
  }

  /** What an island's module does, by its hashed address; undefined for other files. */
  island(address: string): IslandFacts | undefined {
    return this.#hashed.get(address)?.file.island;
  }

  /** A file as the policies of pages need it, by either of its addresses. */
  view(address: string): SiteFileView | undefined {
    const found = this.#hashed.get(address) ?? this.#hashed.get(this.#hashedAddresses.get(address) ?? "");
    if (found === undefined) return undefined;
    const { file, integrity } = found;
    const view =
      this.#views.get(file) ??
      createFileView(
        {
          path: address,
          hash: () => integrity.replace(/^sha256-/, ""),
          text: () => new TextDecoder().decode(file.bytes),
        },
        () => [],
      );
    this.#views.set(file, view);
    return view;
  }

  /** Everything to be published of it. */
  files(): SiteFile[] {
    const plain = [...this.#files].map(([path, { bytes }]) => ({
      path,
      bytes,
      policy: inertPolicy,
      immutable: false,
    }));
    const hashed = [...this.#asked].map((path) => ({
      path,
      bytes: this.#hashed.get(path)?.file.bytes ?? new Uint8Array(),
      policy: inertPolicy,
      immutable: true,
    }));
    return [...plain, ...hashed];
  }
}
