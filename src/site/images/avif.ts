import { latin1, orNothing, viewOf } from "./bytes.ts";
import type { PictureFacts } from "./picture-facts.ts";

/** A box of the ISO base media format: where its content lies in the file. */
interface Box {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Boxes of one level, and items of a file, that are looked at. */
const maxBoxes = 4096;

function boxesIn(view: DataView, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to && boxes.length < maxBoxes;) {
    const short = view.getUint32(at);
    const name = latin1(new Uint8Array(view.buffer, view.byteOffset + at + 4, 4), 0, 4);
    const headLength = short === 1 ? 16 : 8;
    const size = short === 0 ? to - at : short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    if (size < headLength || at + size > to) break;
    boxes.push({ name, start: at + headLength, end: at + size });
    at += size;
  }
  return boxes;
}

const find = (boxes: readonly Box[], name: string): Box | undefined => boxes.find((box) => box.name === name);

/** Brands of stills and of sequences. */
const brands = new Set(["avif", "avis"]);

/** @see ISO/IEC 23008-12 (HEIF) §6 and the AV1 Image File Format §2 */
export function readAvif(bytes: Uint8Array): PictureFacts | undefined {
  return orNothing(() => {
    const view = viewOf(bytes);
    const top = boxesIn(view, 0, bytes.length);
    const [type] = top;
    if (type?.name !== "ftyp") return undefined;
    const named = [type.start, ...range(type.start + 8, type.end, 4)].map((at) => latin1(bytes, at, at + 4));
    if (!named.some((brand) => brands.has(brand))) return undefined;
    const inner = metaBoxes(view, top);
    if (inner === undefined) return undefined;
    const size = primarySize(view, inner);
    return size && { format: "avif", ...size, isAnimated: named[0] === "avis" };
  });
}

function range(from: number, to: number, step: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.floor((to - from) / step)) },
    (_, index) => from + index * step,
  );
}

function metaBoxes(view: DataView, top: readonly Box[]): Box[] | undefined {
  const meta = find(top, "meta");
  return meta === undefined ? undefined : boxesIn(view, meta.start + 4, meta.end);
}

/** The size of the item that is shown, turned as its properties say. */
function primarySize(view: DataView, inner: readonly Box[]): { width: number; height: number } | undefined {
  const [primary, properties] = [find(inner, "pitm"), find(inner, "iprp")];
  if (primary === undefined || properties === undefined) return undefined;
  const item =
    view.getUint8(primary.start) === 0
      ? view.getUint16(primary.start + 4)
      : view.getUint32(primary.start + 4);
  const parts = boxesIn(view, properties.start, properties.end);
  const container = find(parts, "ipco");
  const all = container === undefined ? [] : boxesIn(view, container.start, container.end);
  const own = parts
    .filter(({ name }) => name === "ipma")
    .flatMap((box) => associationsOf(view, box, item))
    .flatMap((index) => all[index - 1] ?? []);
  const extents = find(own, "ispe");
  if (extents === undefined) return undefined;
  const [width, height] = [view.getUint32(extents.start + 4), view.getUint32(extents.start + 8)];
  const turn = find(own, "irot");
  const isTurned = turn !== undefined && (view.getUint8(turn.start) & 1) === 1;
  return isTurned ? { width: height, height: width } : { width, height };
}

/** The numbers of an item's properties. */
function associationsOf(view: DataView, box: Box, item: number): number[] {
  const version = view.getUint8(box.start);
  const isWide = (view.getUint8(box.start + 3) & 1) === 1;
  const count = view.getUint32(box.start + 4);
  let at = box.start + 8;
  for (let entry = 0; entry < Math.min(count, maxBoxes) && at < box.end; entry++) {
    const id = version < 1 ? view.getUint16(at) : view.getUint32(at);
    at += version < 1 ? 2 : 4;
    const length = view.getUint8(at++);
    const indexes = range(at, at + length * (isWide ? 2 : 1), isWide ? 2 : 1);
    if (id === item)
      return indexes.map((place) => (isWide ? view.getUint16(place) & 0x7fff : view.getUint8(place) & 0x7f));
    at += length * (isWide ? 2 : 1);
  }
  return [];
}

/** What shows a picture or a sequence of them. Other boxes are free, or tell about it (XMP stands in one of a `uuid`). */
const shownBoxes = new Set(["ftyp", "meta", "mdat", "moov", "moof", "sidx"]);

/**
 * Overwrites what tells about the picture (Exif, XMP, boxes that show nothing) with noughts: to cut it out would move everything behind it. How
 * the picture is held stands elsewhere. What stands behind its last box goes. Undefined if the file is not whole, or its items lie where
 * they can't be found.
 */
export function stripAvif(bytes: Uint8Array): Uint8Array | undefined {
  return orNothing(() => {
    const view = viewOf(bytes);
    const top = boxesIn(view, 0, bytes.length);
    const inner = metaBoxes(view, top);
    if (inner === undefined) return undefined;
    const told = tellingItems(view, find(inner, "iinf"));
    const places = told.size === 0 ? [] : placesOf(view, find(inner, "iloc"), find(inner, "idat"), told);
    const whole = top.at(-1)?.end ?? 0;
    if (places === undefined || places.some(([, end]) => end > whole)) return undefined;
    // A box that was cut short is none behind the end.
    if (shownBoxes.has(latin1(bytes, whole + 4, whole + 8))) return undefined;
    const changed = bytes.slice(0, whole);
    for (const [start, end] of places) changed.fill(0, start, end);
    for (const { name, start, end } of top) if (!shownBoxes.has(name)) changed.fill(0, start, end);
    return changed;
  });
}

/** The numbers of the items that tell about the picture. */
function tellingItems(view: DataView, box: Box | undefined): Set<number> {
  const items = new Set<number>();
  if (box === undefined) return items;
  const isShort = view.getUint8(box.start) === 0;
  for (const { name, start } of boxesIn(view, box.start + (isShort ? 6 : 8), box.end)) {
    const version = view.getUint8(start);
    if (name !== "infe" || version < 2) continue;
    const id = version === 2 ? view.getUint16(start + 4) : view.getUint32(start + 4);
    const typeAt = start + (version === 2 ? 8 : 10);
    const type = latin1(new Uint8Array(view.buffer, view.byteOffset + typeAt, 4), 0, 4);
    if (type === "Exif" || type === "mime" || type === "uri ") items.add(id);
  }
  return items;
}

/** Where items lie in the file. */
function placesOf(
  view: DataView,
  box: Box | undefined,
  data: Box | undefined,
  wanted: ReadonlySet<number>,
): [start: number, end: number][] | undefined {
  if (box === undefined) return undefined;
  const version = view.getUint8(box.start);
  const sizes = view.getUint16(box.start + 4);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  let at = box.start + 6;
  const take = (size: number): number => {
    const value =
      size === 8
        ? Number(view.getBigUint64(at))
        : size === 4
          ? view.getUint32(at)
          : size === 2
            ? view.getUint16(at)
            : 0;
    at += size;
    return value;
  };
  const places: [number, number][] = [];
  const count = take(version < 2 ? 2 : 4);
  for (let item = 0; item < Math.min(count, maxBoxes); item++) {
    const id = take(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : take(2) & 15;
    take(2);
    const base = take(baseSize);
    const origin = method === 0 ? 0 : method === 1 ? data?.start : undefined;
    for (let extents = take(2); extents > 0; extents--) {
      take(indexSize);
      const start = (origin ?? 0) + base + take(offsetSize);
      const length = take(lengthSize);
      if (!wanted.has(id)) continue;
      if (origin === undefined) return undefined;
      places.push([start, start + length]);
    }
  }
  return places;
}
