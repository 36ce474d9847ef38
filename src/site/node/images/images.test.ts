import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import sharp from "sharp";
import { z } from "zod";
import { decodeRelease, defineStack, parseContract } from "../../../contract/index.ts";
import type { Contract, ContractSite, ImageOptions, Release } from "../../../contract/index.ts";
import { buildSite } from "../build-site.ts";
import type { SiteBuild } from "../build-site.ts";
import { writeSite } from "../fixtures/write-site.ts";
import type { SourceFile } from "../../source.ts";
import { openVariantMaker } from "./make-variants.ts";

const contractWith = (images?: ImageOptions | false): Contract =>
  parseContract(
    defineStack({
      origin: "https://www.site.example",
      site: {
        content: "content",
        templates: "templates",
        assets: "public",
        collections: { pages: z.object({ title: z.string() }) },
        ...(images === undefined ? {} : { images }),
      },
    }),
  );
const small = contractWith({ widths: [200, 400] });

/** A photograph of `width` by half of it, with the place where it was taken. */
async function photograph(width: number): Promise<Buffer> {
  const height = width / 2;
  const pixels = Buffer.from(
    Array.from(
      { length: width * height * 3 },
      (_, at) => Math.floor(((at / 3) % width) / 3 + at / width / 9) % 256,
    ),
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .withExif({ IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" }, IFD0: { Make: "gps-canary" } })
    .jpeg()
    .toBuffer();
}

const template = (body: string): string =>
  `import { asset, Content, Image } from "curtainwall/template";
export function page({ entry }) { return <html lang="en"><head><title>x</title></head><body>${body}</body></html>; }`;

type Files = Record<string, string | Uint8Array>;

function site(context: TestContext, files: Files): Promise<string> {
  return writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "templates/pages.tsx": template("<Content of={entry} />"),
    "public/site.css": "a{}",
    ...files,
  });
}

async function build(
  root: string,
  contract = small,
  cacheFolder?: string,
): Promise<SiteBuild & { packed: Release }> {
  const built = await buildSite({ root, contract, ...(cacheFolder === undefined ? {} : { cacheFolder }) });
  return { ...built, packed: await decodeRelease(built.release) };
}

function bytesOf({ manifest, body }: Release, path: string): Uint8Array {
  const file = manifest.files.find((entry) => entry.path === path) ?? assert.fail(`no ${path}`);
  const [identity] = file.variants;
  return body.slice(identity?.offset, (identity?.offset ?? 0) + (identity?.length ?? 0));
}

const textOf = (release: Release, path: string): string => new TextDecoder().decode(bytesOf(release, path));

/** Addresses with the hashes taken out. */
const plain = (html: string): string =>
  html.replaceAll(/\.[0-9a-f]{16}/g, ".#").replaceAll(/-[0-9a-f]{8}\./g, "-#.");

const content = (text: string): Files => ({ "content/pages/index.md": `---\ntitle: Home\n---\n${text}\n` });

suite("Photographs in content", () => {
  test("come with their size, in formats and sizes that browsers choose from, each under an address of its own", async (context) => {
    const root = await site(context, {
      ...content("![Rye](/rye.jpg)"),
      "public/rye.jpg": await photograph(300),
    });
    const { packed } = await build(root);
    const html = textOf(packed, "/");
    assert.match(
      plain(html),
      /<picture><source type="image\/avif" srcset="\/assets\/rye\.#\.200-#\.avif 200w, \/assets\/rye\.#\.300-#\.avif 300w" sizes="\(min-width: 300px\) 300px, 100vw"><source type="image\/webp" [^>]*><img src="\/assets\/rye\.#\.jpg" alt="Rye" decoding="async" width="300" height="150"><\/picture>/,
    );
    const made = packed.manifest.files.filter(({ path }) => /\.(?:avif|webp)$/.test(path));
    assert.equal(made.length, 4);
    for (const { path, headers } of made) {
      const { width, height, exif, xmp } = await sharp(bytesOf(packed, path)).metadata();
      assert.deepEqual([`${width}`, height], [/\.(\d+)-/.exec(path)?.[1], width / 2]);
      assert.deepEqual([exif, xmp], [undefined, undefined]);
      assert.ok(headers.some(([name, value]) => name === "cache-control" && value.includes("immutable")));
    }
  });

  test("say nothing of where they were taken, under any of their addresses", async (context) => {
    const files = { "public/rye.jpg": await photograph(300), "public/unused.jpg": await photograph(100) };
    const root = await site(context, { ...content("![Rye](/rye.jpg)"), ...files });
    for (const contract of [small, contractWith(false)]) {
      const { packed, warnings } = await build(root, contract);
      assert.doesNotMatch(Buffer.from(packed.body).toString("latin1"), /gps-canary/);
      assert.deepEqual(warnings, []);
    }
  });

  test("load at once up to the first large one, then when they are scrolled to", async (context) => {
    const svg = (side: number): string =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"/>`;
    const root = await site(context, {
      ...content("![a](/small.svg) ![b](/large.svg) ![c](/large.svg)"),
      "public/small.svg": svg(44),
      "public/large.svg": svg(200),
    });
    const html = textOf((await build(root)).packed, "/");
    const images = [...html.matchAll(/<img [^>]*>/g)].map(([image]) => [
      /alt="(.)"/.exec(image)?.[1],
      image.includes('loading="lazy"'),
      / width="(\d+)" height="\d+"/.exec(image)?.[1],
    ]);
    assert.deepEqual(images, [
      ["a", false, "44"],
      ["b", false, "200"],
      ["c", true, "200"],
    ]);
  });

  test("that stand in a text or an attribute only look like ones, and stay what they are", async (context) => {
    const text = '`<img src="/rye.jpg">` [a](/ "<img src=/rye.jpg alt>") ![<img src="/rye.jpg">](/rye.jpg)';
    const root = await site(context, { ...content(text), "public/rye.jpg": await photograph(300) });
    const html = textOf((await build(root)).packed, "/");
    assert.equal(html.match(/<picture>/g)?.length, 1);
    assert.match(html, /title="<img src=\/rye\.jpg alt>"/);
  });

  test("that are missing fail the build with file and line", async (context) => {
    const root = await site(context, content("Words.\n\n![Rye](/rhye.jpg)"));
    await assert.rejects(build(root), {
      code: "SITE_REFERENCE_BROKEN",
      message: /content\/pages\/index\.md:6:/,
    });
  });

  test("that are no pictures fail the build, and name the file", async (context) => {
    const root = await site(context, {
      ...content("![Rye](/rye.jpg)"),
      "public/rye.jpg": "<script>alert(1)</script>",
    });
    await assert.rejects(build(root), { code: "SITE_IMAGE_INVALID", message: /^public\/rye\.jpg: / });
  });

  test("that are cut in the middle fail the build as well, and are told of where nobody shows them", async (context) => {
    const whole = await photograph(300);
    const cut = whole.subarray(0, whole.length / 2);
    const root = await site(context, { ...content("![Rye](/rye.jpg)"), "public/rye.jpg": cut });
    await assert.rejects(build(root), { code: "SITE_IMAGE_INVALID", message: /^public\/rye\.jpg: / });
    const unused = await site(context, { "public/rye.jpg": cut });
    const { warnings } = await build(unused);
    assert.deepEqual(
      warnings.map(({ file }) => file),
      ["public/rye.jpg"],
    );
  });

  test("that would unfold to gigabytes are not unfolded", async (context) => {
    const bomb = Buffer.from(await photograph(300));
    // The frame's head: 65 500 by 65 500 pixels.
    const frame = bomb.indexOf(Buffer.from([0xff, 0xc0]));
    bomb.writeUInt16BE(65_500, frame + 5);
    bomb.writeUInt16BE(65_500, frame + 7);
    const root = await site(context, { ...content("![Rye](/rye.jpg)"), "public/rye.jpg": bomb });
    const html = textOf((await build(root)).packed, "/");
    assert.match(html, /<img src="[^"]*" alt="Rye" decoding="async" width="65500" height="65500">/);
    assert.doesNotMatch(html, /<picture>/);
  });
});

suite("Photographs in templates", () => {
  test("<Image> offers once and twice the width that it is shown in; its other attributes stay", async (context) => {
    const root = await site(context, {
      "templates/pages.tsx": template('<Image src="rye.jpg" alt="Rye" width={150} class="lead" />'),
      "public/rye.jpg": await photograph(400),
    });
    assert.match(
      plain(textOf((await build(root)).packed, "/")),
      /srcset="\/assets\/rye\.#\.150-#\.webp 150w, \/assets\/rye\.#\.300-#\.webp 300w" sizes="\(min-width: 150px\) 150px, 100vw"\/?><img width="150" class="lead" src="\/assets\/rye\.#\.jpg" alt="Rye" height="75" decoding="async"\/?><\/picture>/,
    );
  });

  test("<img> gets its size, unless its author wrote one; of a width in percent nothing follows", async (context) => {
    const body = [
      '<img src={asset("rye.jpg")} alt="1"/>',
      '<img src={asset("rye.jpg")} alt="2" height="50"/>',
    ];
    body.push('<img src={asset("rye.jpg")} alt="3" width="7" height="9" loading="eager"/>');
    body.push('<img src="/rye.jpg" alt="4" width="100%"/>');
    const root = await site(context, {
      "templates/pages.tsx": template(body.join("")),
      "public/rye.jpg": await photograph(400),
    });
    const html = plain(textOf((await build(root)).packed, "/"));
    assert.doesNotMatch(html, /<picture>/);
    assert.deepEqual(
      [...html.matchAll(/<img src="[^"]*" (.*?)\/?>/g)].map(([, rest]) => rest),
      [
        'alt="1" width="400" height="200" decoding="async"',
        'alt="2" height="50" width="100" loading="lazy" decoding="async"',
        'alt="3" width="7" height="9" loading="eager" decoding="async"',
        'alt="4" width="100%" loading="lazy" decoding="async"',
      ],
    );
  });

  test("<Image> of a file that is not there fails with its line", async (context) => {
    const root = await site(context, {
      "templates/pages.tsx": template('<Image src="rhye.jpg" alt="Rye" />'),
    });
    await assert.rejects(build(root), { code: "SITE_ASSET_UNKNOWN", message: /templates\/pages\.tsx/ });
  });
});

suite("A build with photographs", () => {
  test("gives the same release cold, warm, after an edit and its undoing, and from a cache that was damaged", async (context) => {
    const files = { ...content("![Rye](/rye.jpg)"), "public/rye.jpg": await photograph(300) };
    const root = await site(context, files);
    const cache = join(root, ".curtainwall", "cache", "compressed");
    const cold = (await build(root)).release;
    const pictures = join(cache, "pictures");
    const names = readdirSync(pictures);
    assert.equal(names.length, 4);
    assert.deepEqual((await build(root)).release, cold);
    assert.deepEqual((await build(root, small, join(root, ".curtainwall", "other"))).release, cold);

    writeFileSync(join(root, "public/rye.jpg"), await photograph(260));
    const edited = await build(root);
    assert.notDeepEqual(edited.release, cold);
    assert.deepEqual((await build(root, small, join(root, ".curtainwall", "third"))).release, edited.release);
    assert.equal(
      readdirSync(pictures).filter((name) => names.includes(name)).length,
      0,
      "what is not needed went",
    );

    writeFileSync(join(root, "public/rye.jpg"), files["public/rye.jpg"] ?? "");
    for (const name of readdirSync(pictures)) {
      const file = join(pictures, name);
      const bytes = readFileSync(file);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(file, bytes);
    }
    assert.deepEqual((await build(root)).release, cold);
  });

  test("makes none where the contract wants none, and still tells their size", async (context) => {
    const root = await site(context, {
      ...content("![Rye](/rye.jpg)"),
      "public/rye.jpg": await photograph(300),
    });
    const { packed } = await build(root, contractWith(false));
    assert.match(
      textOf(packed, "/"),
      /<img src="[^"]*" alt="Rye" decoding="async" width="300" height="150">/,
    );
    assert.deepEqual(
      packed.manifest.files.filter(({ path }) => /\.(?:avif|webp)$/.test(path)),
      [],
    );
  });

  test("without sharp says so once, and makes none; a site without photographs hears nothing of it", async () => {
    const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'sharp'"));
    const file = async (name: string, bytes?: Uint8Array): Promise<SourceFile> => ({
      path: name,
      file: `public/${name}`,
      bytes: bytes ?? (await photograph(300)),
    });
    const { images } = small.site as ContractSite;
    const photographs = [
      await file("a.jpg"),
      await file("b.jpg"),
      await file("icon.jpg", await photograph(32)),
    ];
    const maker = await openVariantMaker({ images }, photographs, "nowhere", missing);
    assert.equal(maker.stamp, undefined);
    assert.equal(maker.warnings.length, 1);
    assert.match(maker.warnings[0]?.message ?? "", /and so are 1 more: .*npm install sharp/);
    assert.deepEqual(await maker.make([], () => {}), []);
    const others = [await file("site.css", new TextEncoder().encode("a{}"))];
    assert.deepEqual((await openVariantMaker({ images }, others, "nowhere", missing)).warnings, []);
    assert.deepEqual(
      (await openVariantMaker({ images: undefined }, photographs, "nowhere", missing)).warnings,
      [],
    );
  });
});
