import type { PicturePlacer } from "./place-pictures.ts";

type Props = Record<string, unknown>;

/** Completes an `<img>` of a template by what its file says. What its author wrote stays. */
export function completeImage(props: Props, pictures: PicturePlacer): Props {
  const written = new Map(Object.entries(props).map(([name, value]) => [name.toLowerCase(), value]));
  const src = written.get("src");
  const picture = typeof src === "string" ? pictures.find(src) : undefined;
  if (picture === undefined) return props;
  const sides = [written.get("width"), written.get("height")].map(sideOf);
  const [width, height] = sides.map((side) => (side === "other" ? undefined : side));
  // Of a side that is no number of pixels nothing follows for the other.
  const facts = sides.includes("other") ? undefined : picture.facts;
  const added = Object.entries(pictures.complete(facts, { width, height })).filter(([name]) => {
    const value = written.get(name);
    return value === undefined || value === null;
  });
  const completed = { ...props, ...Object.fromEntries(added) };
  return picture.isMoved ? { ...completed, src: picture.address } : completed;
}

function sideOf(value: unknown): number | "other" | undefined {
  if (value === undefined || value === null) return undefined;
  const side = Number(value);
  return Number.isFinite(side) && side > 0 ? side : "other";
}
