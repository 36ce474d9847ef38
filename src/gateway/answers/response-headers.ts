import { z } from "zod";
import type { ContractRoute, Schema } from "../../contract/index.ts";

/** Headers of an upstream's answer, by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Headers that may leave (name, value, name, value …), or the name of the one that is not as declared. */
export type ReleaseHeaders = (headers: AnswerHeaders | undefined) => readonly string[] | string;

/** Visible ASCII with spaces inside. */
const plainValue = /^[!-~](?:[ !-~]{0,2046}[!-~])?$/;

/**
 * Compiles the list of headers that may leave, each held to its schema; undefined if none may. `location` may lead nowhere but to this site,
 * unless its schema lists what it may be: an upstream that can be talked into an address would send the visitor there.
 */
export function compileResponseHeaders(
  { responseHeaders }: ContractRoute,
  origin: string,
): ReleaseHeaders | undefined {
  if (responseHeaders.size === 0) return undefined;
  const declared = [...responseHeaders].map(([name, schema]) => ({
    name,
    schema,
    staysHere: name === "location" && !listsValues(schema),
  }));
  return (headers) => {
    const list: string[] = [];
    for (const { name, schema, staysHere } of declared) {
      const value = headers?.[name];
      // Which of several counts, nobody can tell.
      if (typeof value === "object") return name;
      const checked = z.core.safeParse(schema, value);
      if (!checked.success) return name;
      const text = checked.data;
      if (text === undefined) continue;
      if (typeof text !== "string" || !plainValue.test(text) || (staysHere && !isOnSite(text, origin)))
        return name;
      list.push(name, text);
    }
    return list;
  };
}

/** An enum or literals: each value was written into the contract. */
function listsValues(schema: Schema): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "enum" || def.type === "literal") return true;
  return def.type === "optional" && listsValues(def.innerType);
}

/** A path of this site, written so that no browser takes it for another host's: `//evil.example`, `/\evil.example`, a tab between. */
function isOnSite(location: string, origin: string): boolean {
  if (location.includes("\\") || location.includes(" ")) return false;
  const url = URL.parse(location, origin);
  if (url === null || url.origin !== origin || url.username !== "" || url.password !== "") return false;
  return location.startsWith("/") ? !location.startsWith("//") : location.startsWith(`${origin}/`);
}
