import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Loads what undici asks for only at the first answer that it reads: by then the process is another user, who may reach no file below the folder that
 * everything lies in. Asked for by the very words that undici uses, from the folder that it asks from, since Node looks for a file otherwise.
 *
 * Each thread that sends requests does it itself, before the process gives up its rights. Bundles have it in them.
 */
export function loadHttpParser(): void {
  if (process.getuid?.() !== 0) return;
  const undici = dirname(createRequire(import.meta.url).resolve("undici"));
  try {
    createRequire(join(undici, "lib/dispatcher/client-h1.js"))("../llhttp/llhttp_simd-wasm.js");
  } catch {
    // Another version keeps it elsewhere.
  }
}
