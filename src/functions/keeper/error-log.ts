/** Options of {@link createErrorLog}. */
export interface ErrorLogOptions {
  /** A clock in milliseconds that only goes forward. */
  readonly now: () => number;
  readonly onLine: (line: string) => void;
}

/** Tells the operator what functions threw, and no more of it than can be read: who calls decides how often they throw. */
export interface ErrorLog {
  /** @param text bounded, and harmless to a terminal: what was thrown, with where */
  tell(name: string, id: string, text: string): void;
  /** Its code is another now: what it throws is new. */
  forget(name: string): void;
  /** Tells what was only counted. */
  close(): void;
}

const sliceMs = 500;
const linesPerSlice = 50;
/** For so long an error's place is not told again. */
const alikeMs = 10_000;
const maxKinds = 100;

interface OfFunction {
  lines: number;
  untold: number;
  /** When errors from a place were told whole. */
  readonly told: Map<string, number>;
}

/**
 * Creates an {@link ErrorLog}. An error begins with a line that says where it was thrown. Of each function fifty lines in half a second are told, and the
 * number of errors beyond; of one that was thrown where another was in the last 10 s only the first line.
 */
export function createErrorLog({ now, onLine }: ErrorLogOptions): ErrorLog {
  const functions = new Map<string, OfFunction>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function sweep(): void {
    timer = undefined;
    const present = now();
    for (const [name, one] of functions) {
      if (one.untold > 0) onLine(`${name}: (${one.untold} more errors)`);
      one.lines = 0;
      one.untold = 0;
      for (const [place, atMs] of one.told) if (present - atMs >= alikeMs) one.told.delete(place);
      if (one.told.size === 0) functions.delete(name);
    }
    if (functions.size > 0) start();
  }

  /** It keeps no process: what is counted then is told by {@link ErrorLog.close}. */
  function start(): void {
    timer = setTimeout(sweep, sliceMs);
    (timer as { unref?: () => void }).unref?.();
  }

  function recordOf(name: string): OfFunction {
    const known = functions.get(name);
    if (known !== undefined) return known;
    const fresh = { lines: 0, untold: 0, told: new Map<string, number>() };
    functions.set(name, fresh);
    return fresh;
  }

  return {
    tell(name, id, text) {
      if (timer === undefined) start();
      const one = recordOf(name);
      const lines = text.split("\n");
      const place = placeOf(text);
      const isKnown = one.told.has(place);
      const count = isKnown ? 1 : lines.length;
      const isTooMany = one.lines > 0 && one.lines + count > linesPerSlice;
      if (isTooMany || (!isKnown && one.told.size === maxKinds)) return void one.untold++;
      one.lines += count;
      const [first = "", ...others] = lines;
      onLine(`${name} ${id}: ${first}${inBrackets(firstFrame(others))}`);
      if (isKnown) return;
      one.told.set(place, now());
      for (const line of others) onLine(`${name} ${id}: ${line}`);
    },
    forget: (name) => functions.get(name)?.told.clear(),
    close() {
      sweep();
      clearTimeout(timer);
    },
  };
}

const frameStart = "    at ";

/** Messages may hold input, which differs each time. */
function placeOf(text: string): string {
  const frames = text.indexOf(`\n${frameStart}`);
  return frames < 0 ? text : text.slice(frames);
}

/** File, line and column of the innermost frame, which stand last in it: alone, or in brackets behind the name of what was called. */
function firstFrame(lines: readonly string[]): string {
  const frame = lines.find((line) => line.startsWith(frameStart)) ?? "";
  return (frame.split(" ").at(-1) ?? "").replace(/^\(/, "").replace(/\)$/, "");
}

const inBrackets = (text: string): string => (text === "" ? "" : ` (${text})`);
