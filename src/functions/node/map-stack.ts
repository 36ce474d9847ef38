import { SourceMap } from "node:module";

/** The name under which a bundle runs, in whatever runs it. */
const frame = /\b(?:file:\/\/\/)?(?:[\w./-]*\/)?function\.js:(\d{1,7}):(\d{1,7})/g;
/** Frames that are mapped; a deep recursion has thousands. */
const maxFrames = 64;

/**
 * Says where in its sources an error of a function came from. For the log alone: it names files of the project.
 *
 * @param stack as the function's process told it, and so of whatever length and content
 * @param map the bundle's source map, as `bundleFunction` gives it. One that can't be read leaves the stack as it is
 */
export function mapStack(stack: string, map: string): string {
  const source = readMap(map);
  if (source === undefined) return stack;
  let left = maxFrames;
  return stack.replace(frame, (whole, line: string, column: string) => {
    if (left-- <= 0) return whole;
    const found = source.findOrigin(Number(line), Number(column));
    return "fileName" in found ? `${found.fileName}:${found.lineNumber}:${found.columnNumber}` : whole;
  });
}

/** Maps that were read: an error seldom comes alone, and reading one takes longer than asking it. */
const kept = new Map<string, SourceMap>();
const maxKept = 32;

function readMap(text: string): SourceMap | undefined {
  const known = kept.get(text);
  if (known !== undefined) return known;
  try {
    const map = new SourceMap(JSON.parse(text) as ConstructorParameters<typeof SourceMap>[0]);
    if (kept.size >= maxKept) kept.delete(kept.keys().next().value ?? "");
    kept.set(text, map);
    return map;
  } catch {
    return undefined;
  }
}
