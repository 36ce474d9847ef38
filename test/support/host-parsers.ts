import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The hosts' own parsers and servers, as their packages have them; loosely typed, as far as tests use them. */
const folder = process.env.CURTAINWALL_HOST_PARSERS ?? fileURLToPath(new URL("../..", import.meta.url));
const { resolve } = createRequire(join(folder, "package.json"));

/** A package that a test needs: false, or why it is skipped. */
export interface Needed<Module> {
  readonly skip: string | false;
  readonly load: () => Promise<Module>;
}

function needs<Module>(name: string): Needed<Module> {
  try {
    const file = resolve(name);
    return { skip: false, load: async () => (await import(pathToFileURL(file).href)) as Module };
  } catch {
    const skip = `${name} is not installed; CURTAINWALL_HOST_PARSERS names a folder that has it`;
    if (process.env.CURTAINWALL_REQUIRE_ALL === "1") throw new Error(skip);
    return { skip, load: () => Promise.reject(new Error(skip)) };
  }
}

/** Cloudflare's asset server, on workerd. */
export const miniflare = needs<{
  Miniflare: new (options: object) => { readonly ready: Promise<URL>; dispose(): Promise<void> };
}>("miniflare");

/** What Netlify reads `_headers` with. */
export const netlifyHeaders = needs<{
  parseAllHeaders: (options: { headersFiles: string[]; minimal: boolean }) => Promise<{
    headers: { forRegExp: RegExp; values: Record<string, string> }[];
    errors: Error[];
  }>;
}>("@netlify/headers-parser");

/** What Netlify reads `_redirects` with. */
export const netlifyRedirects = needs<{
  parseAllRedirects: (options: { redirectsFiles: string[]; minimal: boolean }) => Promise<{
    redirects: { from: string; to: string; status: number }[];
    errors: Error[];
  }>;
}>("@netlify/redirect-parser");

/** What Vercel checks routes with. */
export const vercelRoutes = needs<{
  normalizeRoutes: (routes: unknown) => { routes: unknown[] | null; error: Error | null };
}>("@vercel/routing-utils");
