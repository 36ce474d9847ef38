import type { ProbeResponse } from "../probes/probe.ts";

/** What a cache keeps without being told for how long. @see RFC 9110 §15.1 */
const keptByDefault = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/**
 * Tells whether a cache that several people share may keep the answer to a GET and give it to somebody else without asking again. Strict: what a
 * cache could take for permission is one.
 *
 * @see RFC 9111 §3, §4.2
 */
export function isShareable(response: Pick<ProbeResponse, "status" | "header">): boolean {
  const control = directives(response.header("cache-control") ?? "");
  if (control.has("no-store") || control.get("private") === "" || control.get("no-cache") === "")
    return false;
  if (names(response.header("vary")).has("*")) return false;
  const seconds = control.get("s-maxage") ?? control.get("max-age");
  if (seconds !== undefined) return Number(seconds) > 0;
  if (control.has("public") || response.header("expires") !== undefined) return true;
  return keptByDefault.has(response.status);
}

/** Tells whether caches are told that an answer depends on a request header. */
export const variesBy = ({ header }: Pick<ProbeResponse, "header">, name: string): boolean =>
  names(header("vary")).has(name);

const names = (list = ""): ReadonlySet<string> =>
  new Set(list.split(",").map((name) => name.trim().toLowerCase()));

function directives(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .toLowerCase()
      .split(",")
      .map((part): [string, string] => {
        const [name = "", value = ""] = part.trim().split("=", 2);
        return [name.trim(), value.trim().replaceAll('"', "")];
      }),
  );
}
