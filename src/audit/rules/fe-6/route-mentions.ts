import type { ContractRoute } from "../../../contract/index.ts";
import { unknownPart } from "../../answers/script-texts.ts";

/** Something by which a text tells of a route: its key, or its path alone. */
export interface RouteMention {
  /** As it is declared: `GET /api/orders/:id`, `/api/orders/:id`. */
  readonly name: string;
  readonly path: string;
  /** Whether a text tells it. */
  isIn: (text: string) => boolean;
  /** Whether a text with unknown parts may come to be it. */
  mayBe: (text: string) => boolean;
}

/** What texts may tell of routes: each key, and each path once. */
export function routeMentions(routes: readonly ContractRoute[]): RouteMention[] {
  const paths = new Map(routes.map((route) => [route.path, route]));
  return [
    ...routes.map((route) => mentionOf(route, route.key)),
    ...[...paths.values()].map((route) => mentionOf(route)),
  ];
}

function mentionOf(route: ContractRoute, key?: string): RouteMention {
  const { path, segments } = route;
  const name = key ?? path;
  // One route's path begins like another's. A path behind a method is a key's.
  const pattern =
    key === undefined
      ? new RegExp(`(?<![A-Z] )${patternOf(segments)}${end}`)
      : new RegExp(`(?<!\\w)${RegExp.escape(key)}${end}`);
  const words = segments.flatMap((segment) =>
    "text" in segment && segment.text.length > 2 ? [segment.text] : [],
  );
  return {
    name,
    path,
    isIn: (text) => pattern.test(text),
    mayBe: (text) => {
      const parts = text.split(unknownPart);
      return (
        parts.length > 1 &&
        words.some((word) => parts.some((part) => part.includes(word))) &&
        fits(parts, name)
      );
    },
  };
}

const end = "/?(?![\\w/:-])";

/** A path's parameters are whatever stands in their place. */
const patternOf = (segments: ContractRoute["segments"]): string =>
  segments
    .map((segment) => ("text" in segment ? `/${RegExp.escape(segment.text)}` : "/[^\\s/\"'`?#]+"))
    .join("");

/** Whether a text begins, goes on and ends like these parts, with anything in between. */
function fits(parts: readonly string[], text: string): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop() ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
