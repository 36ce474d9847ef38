import { ApiError } from "./api-error.ts";

/** What {@link requestOf} reads of a call's options. */
interface Asked {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly bearer?: string;
}

/**
 * Writes the request of a call: same origin, no redirects, and a path in which a parameter can't become another segment.
 *
 * @throws {ApiError} `CLIENT_INPUT_INVALID`
 */
export function requestOf(route: string, options: object): { url: string; init: RequestInit } {
  const { params = {}, query = {}, body, bearer } = options as Asked;
  const [method = "GET", path = "/"] = route.split(" ");
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (bearer !== undefined) headers["authorization"] = `Bearer ${bearer}`;
  return {
    url: pathOf(path, params) + queryOf(query),
    init: {
      method,
      headers,
      credentials: "same-origin",
      mode: "same-origin",
      redirect: "error",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
  };
}

/** A browser takes "." and ".." for steps, in escaped form too, and would call another route than the one that is named. */
function pathOf(path: string, params: Readonly<Record<string, string | number>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = Object.hasOwn(params, name) ? String(params[name]) : "";
    if (value === "" || value === "." || value === ".." || !value.isWellFormed())
      throw new ApiError("CLIENT_INPUT_INVALID", `The parameter ${name} can't be part of an address.`);
    return encodeURIComponent(value);
  });
}

function queryOf(query: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(query).flatMap(([name, value]): [string, unknown][] =>
    Array.isArray(value) ? value.map((entry) => [name, entry]) : [[name, value]],
  );
  const pairs = entries.flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      throw new ApiError(
        "CLIENT_INPUT_INVALID",
        `The query key ${name} has to be a text, a number, a boolean, or a list of those.`,
      );
    return [`${encodeURIComponent(name)}=${encodeURIComponent(String(value).toWellFormed())}`];
  });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
