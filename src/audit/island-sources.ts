import type { SourceProbe } from "./probe.ts";

/** What an island is made from. */
export interface IslandSources {
  /** Its own file and those that it imports, one by way of the other. */
  readonly texts: readonly string[];
  /** Imports that were not followed, and could name routes. */
  readonly unread: readonly string[];
}

const maxFiles = 500;

/** Finds the islands that a folder of templates declares, by name, with the sources of each as they are written. */
export async function islandSources(
  source: SourceProbe,
  templates: string,
): Promise<ReadonlyMap<string, IslandSources>> {
  const islands = new Map<string, IslandSources>();
  const files = (await source.files(templates)).filter((file) => /\.island\.[jt]sx$/.test(file));
  for (const file of files) {
    const text = await source.read(file);
    const found = text === undefined ? undefined : await follow(source, file);
    for (const [, name] of text?.matchAll(/\bisland\(\s*["'](\w+)["']/g) ?? [])
      if (name !== undefined && found !== undefined) islands.set(name, found);
  }
  return islands;
}

/** Reads a file and whatever it imports from the project. */
async function follow(source: SourceProbe, entry: string): Promise<IslandSources> {
  const texts = new Map<string, string>();
  const unread = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (texts.has(file)) continue;
    const text = texts.size < maxFiles ? await source.read(file) : undefined;
    if (text === undefined) {
      unread.add(file);
      continue;
    }
    texts.set(file, text);
    for (const request of importsOf(text)) {
      if (request.startsWith(".")) pending.push(await resolved(source, file, request));
      else if (!isKnown.test(request)) unread.add(request);
    }
  }
  return { texts: [...texts.values()], unread: [...unread] };
}

/** Packages that name no route of anybody's. */
const isKnown = /^(?:curtainwall|preact|zod)(?:\/|$)/;

/** What a module imports, other than types. */
const importsOf = (text: string): string[] =>
  [
    ...text.matchAll(/(?:^|[;\n])\s*(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s*)?["']([^"']+)["']/g),
    ...text.matchAll(/\bimport\(\s*["']([^"']+)["']/g),
  ].map(([, request = ""]) => request);

const endings = ["", ".ts", ".tsx", ".js", ".jsx", "/index.ts", "/index.tsx", "/index.js"];

/** The file that is meant: as it is written, or with the ending that was left away. */
async function resolved(source: SourceProbe, from: string, request: string): Promise<string> {
  const path = decodeURI(new URL(request, `file:///${encodeURI(from)}`).pathname.slice(1));
  for (const ending of endings) if ((await source.read(path + ending)) !== undefined) return path + ending;
  return path;
}
