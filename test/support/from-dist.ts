// Imported before the tests that `npm test` runs (`--import`): what they and their children import of `src/` comes from `dist/`, of which
// `npm test` saw that it was made of these sources. Stacks then start their domains as built ones, for half of the time.
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

const source = new URL("../../src/", import.meta.url).href;
const built = new URL("../../dist/", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const url = builtOf(resolved.url);
    return url === undefined ? resolved : { ...resolved, url, format: "module" };
  },
});

/** Addresses by those of the sources: each is asked for by all who import it. */
const known = new Map<string, string | undefined>();

function builtOf(url: string): string | undefined {
  if (!url.startsWith(source)) return undefined;
  if (!known.has(url)) known.set(url, find(url));
  return known.get(url);
}

/** Tests and their fixtures are not built; they import what is. */
function find(url: string): string | undefined {
  const other = `${built}${url.slice(source.length).replace(/\.tsx?(?=\?|$)/, ".js")}`;
  return existsSync(fileURLToPath(other)) ? other : undefined;
}
