import type { SourceProbe } from "../probes/probe.ts";
import { scriptTexts, unknownPart } from "./script-texts.ts";
import type { ScriptTexts } from "./script-texts.ts";

/** What an island is made from. */
export interface IslandSources {
  /** What its own file says and those that it imports, one by way of the other. */
  readonly texts: ReadonlySet<string>;
  /** Imports that were not followed, and could name routes. */
  readonly unread: readonly string[];
}

const maxFiles = 500;

/** Finds the islands that a folder of templates declares, by name, with what the sources of each say. */
export async function islandSources(
  source: SourceProbe,
  templates: string,
): Promise<ReadonlyMap<string, IslandSources>> {
  const islands = new Map<string, IslandSources>();
  const files = (await source.files(templates)).filter((file) => /\.island\.[jt]sx$/.test(file));
  for (const file of files) {
    const declared = (await read(source, file))?.islands ?? [];
    if (declared.length === 0) continue;
    const found = await follow(source, file);
    for (const name of declared) islands.set(name, found);
  }
  return islands;
}

async function read(source: SourceProbe, file: string): Promise<ScriptTexts | undefined> {
  const script = await source.read(file);
  return script === undefined ? undefined : scriptTexts(script, file);
}

/** Reads a file and whatever it imports from the project. */
async function follow(source: SourceProbe, entry: string): Promise<IslandSources> {
  const texts = new Map<string, ReadonlySet<string>>();
  const unread = new Set<string>();
  const pending = [entry];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (texts.has(file)) continue;
    const script = texts.size < maxFiles ? await read(source, file) : undefined;
    if (script === undefined) {
      unread.add(file);
      continue;
    }
    texts.set(file, script.texts);
    for (const request of script.imports) {
      if (request.includes(unknownPart)) unread.add("what is named at run time");
      else if (request.startsWith(".")) pending.push(await resolved(source, file, request));
      else if (!isKnown.test(request)) unread.add(request);
    }
  }
  return { texts: new Set([...texts.values()].flatMap((some) => [...some])), unread: [...unread] };
}

/** Packages that name no route of anybody's. */
const isKnown = /^(?:curtainwall|preact|zod)(?:\/|$)/;

const endings = ["", ".ts", ".tsx", ".js", ".jsx", "/index.ts", "/index.tsx", "/index.js"];

/** The file that is meant: as it is written, or with the ending that was left away. */
async function resolved(source: SourceProbe, from: string, request: string): Promise<string> {
  const path = decodeURI(new URL(request, `file:///${encodeURI(from)}`).pathname.slice(1));
  for (const ending of endings) if ((await source.read(path + ending)) !== undefined) return path + ending;
  return path;
}
