/** One segment of a route's path: fixed text, or a parameter's name. */
export type PathSegment = { readonly text: string } | { readonly param: string };

/** The parts of a route's key. */
export interface RouteKeyParts {
  readonly method: Method;
  readonly path: string;
  readonly segments: readonly PathSegment[];
}

/** The methods that a route can have. HEAD and OPTIONS are answered from these, never declared. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The methods in {@link Method}, at run time. */
export const methods: readonly Method[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const segmentText = /^[A-Za-z0-9._~-]+$/;
const paramName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Splits a route's key (`"GET /api/products/:id"`), or returns what is wrong with it. */
export function parseRouteKey(key: string): RouteKeyParts | string {
  const space = key.indexOf(" ");
  const method = key.slice(0, space) as Method;
  const path = key.slice(space + 1);
  if (space < 0 || !methods.includes(method))
    return `it must begin with one of ${methods.join(", ")} and a space`;
  if (!path.startsWith("/") || path === "/")
    return "the path must begin with / and name at least one segment";
  const segments: PathSegment[] = [];
  for (const part of path.slice(1).split("/")) {
    const segment = part.startsWith(":") ? { param: part.slice(1) } : { text: part };
    if ("param" in segment && !paramName.test(segment.param))
      return `":${segment.param}" is not a parameter's name`;
    if (
      "text" in segment &&
      (!segmentText.test(segment.text) || segment.text === "." || segment.text === "..")
    ) {
      return `"${part}" is not a path segment: ${wayOut(part)}`;
    }
    segments.push(segment);
  }
  if (segments[0] !== undefined && "param" in segments[0])
    return "the first segment must be fixed: it is what tells the API from the site's pages";
  return { method, path, segments };
}

/** What to write in place of what is no segment. */
function wayOut(part: string): string {
  if (part === "") return "a path has no empty ones, and doesn't end with /";
  const name = /^[{<[]\.{0,3}(\w+)[}>\]]$/.exec(part)?.[1];
  return name !== undefined && paramName.test(name)
    ? `a parameter is written ":${name}"`
    : 'use letters, digits, ".", "_", "~" and "-"';
}

/** The parameters that a path names, in order. */
export function paramNames(segments: readonly PathSegment[]): string[] {
  return segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
}
