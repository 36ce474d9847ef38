import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import sharp from "sharp";
import { readPicture } from "./picture-facts.ts";
import { stripMetadata } from "./strip-metadata.ts";

const gps = {
  IFD0: { Copyright: "gps-canary-owner", Make: "gps-canary-camera" },
  IFD3: {
    GPSLatitudeRef: "N",
    GPSLatitude: "51/1 30/1 0/1",
    GPSLongitudeRef: "W",
    GPSLongitude: "0/1 7/1 0/1",
  },
};
const formats = ["png", "jpeg", "webp", "avif", "gif"] as const;
type Format = (typeof formats)[number];

/** A picture that is wider than high and whose corners differ, with a camera's and a place's data where the format has room for it. */
async function photograph(format: Format, orientation = 1): Promise<Uint8Array> {
  const [width, height] = [60, 40];
  const pixels = Buffer.from(
    Array.from(
      { length: width * height * 3 },
      (_, index) => ((index * 7) % 251) & (index > 3600 ? 255 : 127),
    ),
  );
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } })
    .withExif(gps)
    .withMetadata({ orientation });
  return picture.toFormat(format, { lossless: true, quality: 90 }).toBuffer();
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const pixelsOf = (bytes: Uint8Array): Promise<Buffer> => sharp(bytes).autoOrient().raw().toBuffer();

suite("The size of a picture", () => {
  for (const format of formats) {
    test(`${format}: is what sharp reads, too`, async () => {
      const bytes = await photograph(format);
      const facts = readPicture(bytes);
      assert.deepEqual(facts, { format, width: 60, height: 40, isAnimated: false });
    });
  }

  for (const format of ["jpeg", "png", "avif"] as const) {
    test(`${format}: a picture that was taken upright is higher than wide, as browsers show it`, async () => {
      const bytes = await photograph(format, 6);
      const facts = readPicture(bytes);
      assert.ok(typeof facts === "object");
      const shown = await sharp(bytes).autoOrient().toBuffer({ resolveWithObject: true });
      assert.deepEqual([facts.width, facts.height], [shown.info.width, shown.info.height]);
      assert.equal(facts.height, 60);
    });
  }

  test("lossy WebP, one with an alpha channel, and a progressive JPEG", async () => {
    const plain = sharp({ create: { width: 33, height: 21, channels: 4, background: "#40800080" } });
    for (const bytes of [
      await plain.clone().webp({ quality: 50 }).toBuffer(),
      await plain.clone().removeAlpha().webp({ quality: 50 }).toBuffer(),
      await plain.clone().jpeg({ progressive: true }).toBuffer(),
      await plain.clone().png({ palette: true }).toBuffer(),
    ]) {
      const facts = readPicture(bytes);
      assert.ok(typeof facts === "object");
      assert.deepEqual([facts.width, facts.height], [33, 21]);
    }
  });

  test("of several frames is known that they move", async () => {
    const frames = Buffer.from(Array.from({ length: 10 * 20 * 3 }, (_, index) => (index < 300 ? 0 : 200)));
    const moving = sharp(frames, { raw: { width: 10, height: 20, channels: 3, pageHeight: 10 } });
    for (const bytes of [await moving.clone().gif().toBuffer(), await moving.clone().webp().toBuffer()]) {
      const facts = readPicture(bytes);
      assert.ok(typeof facts === "object");
      assert.deepEqual([facts.width, facts.height, facts.isAnimated], [10, 10, true]);
    }
  });

  test("of an SVG is its width and height, or else its viewBox", () => {
    const sizeOf = (text: string): unknown => {
      const facts = readPicture(new TextEncoder().encode(text));
      return typeof facts === "object" ? [facts.width, facts.height] : facts;
    };
    assert.deepEqual(sizeOf('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20px"/>'), [30, 20]);
    assert.deepEqual(
      sizeOf("<?xml version='1.0'?>\n<!-- <svg width='1'> -->\n<!DOCTYPE svg>\n<svg viewBox='0 0 320 240'>"),
      [320, 240],
    );
    assert.deepEqual(sizeOf('<svg width="100%" viewBox="0,0,10,5"/>'), [10, 5]);
    assert.deepEqual(sizeOf('<svg width="20" viewBox="0 0 10 5"/>'), [20, 10]);
    assert.deepEqual(sizeOf('<svg width="1in" height="2in"/>'), [96, 192]);
    assert.equal(sizeOf('<svg width="100%" height="100%">'), "sizeless");
    for (const other of [
      "",
      "hello",
      "<html><svg width='1' height='1'></svg>",
      "<svgx width='1' height='2'>",
    ])
      assert.equal(sizeOf(other), undefined, other);
  });

  test("of a file that was cut, changed or made to attack is found, or nothing: reading it never fails", async () => {
    const all = await Promise.all(formats.map((format) => photograph(format)));
    for (const bytes of all)
      for (let length = 0; length < Math.min(bytes.length, 700); length += 3)
        readPicture(bytes.subarray(0, length));
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.array(fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
        (bytes, changes) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) if (at > 12) changed[at % changed.length] = value;
          const facts = readPicture(changed);
          if (typeof facts === "object") stripMetadata(changed, facts.format);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

suite("What is published of a photograph", () => {
  for (const format of ["png", "jpeg", "webp", "avif"] as const) {
    for (const orientation of [1, 6]) {
      test(`${format}, orientation ${orientation}: has no place, no camera and no owner in it, and looks the same`, async () => {
        const bytes = await photograph(format, orientation);
        assert.match(latin1(bytes), /gps-canary/);
        const bare = stripMetadata(bytes, format);
        assert.ok(bare !== undefined);
        assert.doesNotMatch(latin1(bare), /gps-canary/);
        assert.deepEqual(await pixelsOf(bare), await pixelsOf(bytes));
        assert.deepEqual(readPicture(bare), readPicture(bytes));
        assert.deepEqual(stripMetadata(bare, format), bare);
      });
    }
  }

  test("has neither comments nor what stands behind its end", async () => {
    const jpeg = await photograph("jpeg");
    const comment = Buffer.from([0xff, 0xfe, 0, 8, ...Buffer.from("secret")]);
    const behind = Buffer.from("another picture: secret");
    const told = Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2), behind]);
    assert.deepEqual(stripMetadata(told, "jpeg"), stripMetadata(jpeg, "jpeg"));
    const png = await photograph("png");
    const bare = stripMetadata(Buffer.concat([png, behind]), "png");
    assert.deepEqual(bare, stripMetadata(png, "png"));
    const gif = await photograph("gif");
    const at = gif.length - 1;
    const extension = Buffer.from([0x21, 0xfe, 6, ...Buffer.from("secret"), 0]);
    const toldGif = Buffer.concat([gif.subarray(0, at), extension, gif.subarray(at), behind]);
    assert.deepEqual(stripMetadata(toldGif, "gif"), stripMetadata(gif, "gif"));
    assert.deepEqual(await pixelsOf(stripMetadata(gif, "gif") ?? gif), await pixelsOf(gif));
  });

  test("has no text in blocks and boxes that nobody shows", async () => {
    const gif = await photograph("gif");
    const at = gif.length - 1;
    for (const label of [0x01, 0x42]) {
      const block = Buffer.from([0x21, label, 6, ...Buffer.from("secret"), 0]);
      const told = Buffer.concat([gif.subarray(0, at), block, gif.subarray(at)]);
      assert.deepEqual(stripMetadata(told, "gif"), stripMetadata(gif, "gif"), `label ${label}`);
    }
    const avif = await photograph("avif");
    const words = Buffer.from("secret: <script>");
    for (const name of ["uuid", "free", "note"]) {
      const box = Buffer.concat([Buffer.from([0, 0, 0, 8 + words.length]), Buffer.from(name), words]);
      const told = Buffer.concat([avif, box, Buffer.from("secret behind the end")]);
      const bare = stripMetadata(told, "avif");
      assert.ok(bare !== undefined && !Buffer.from(bare).includes("secret"), name);
      assert.deepEqual(await pixelsOf(bare), await pixelsOf(avif));
    }
  });

  test("has its colour profile still, and a progressive one all its scans", async () => {
    const wide = await sharp({ create: { width: 64, height: 64, channels: 3, background: "#c04010" } })
      .withIccProfile("p3")
      .jpeg({ progressive: true })
      .toBuffer();
    const bare = stripMetadata(wide, "jpeg") ?? wide;
    const { icc } = await sharp(bare).metadata();
    assert.ok(icc !== undefined);
    assert.deepEqual(await pixelsOf(bare), await pixelsOf(wide));
  });

  test("is unknown when the file is cut", async () => {
    for (const format of ["png", "jpeg", "gif", "webp", "avif"] as const) {
      const bytes = await photograph(format);
      assert.equal(stripMetadata(bytes.subarray(0, bytes.length - 2), format), undefined, format);
    }
  });
});
