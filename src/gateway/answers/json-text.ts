// How a checked answer is written: with its numbers as the upstream wrote them, whatever a double would make of them.

/** A number whose text differs from what JavaScript writes for it, most likely; a text that looks like one costs time and nothing else. */
const unusualNumber = /[:,[]\s*(?:-0|-?(?:[\d.]{16,}|\d+\.\d*0|[\d.]+[eE][+-]?\d+))\s*[,}\]]/;

/**
 * Writes what is left of a value after undeclared members were dropped, each number as in the text that the value was read from.
 *
 * @param kept what may leave
 * @param text JSON that it was read from; undefined when there is none
 */
export function writeKept(kept: unknown, text: string | undefined): string {
  const isPlain = text === undefined || (isContainer(text) && !unusualNumber.test(text));
  return isPlain ? JSON.stringify(kept) : (new Splicer(text).write(kept) ?? JSON.stringify(kept));
}

const isContainer = (text: string): boolean => text.charCodeAt(0) === 0x7b || text.charCodeAt(0) === 0x5b;

/** Goes through a value and the text that it was read from side by side, and takes from the text what the value has. */
class Splicer {
  readonly #text: string;
  #at = 0;
  /** The text says more than the value, say a name twice: then the value alone counts. */
  #differs = false;

  constructor(text: string) {
    this.#text = text;
  }

  write(kept: unknown): string | undefined {
    this.#skipSpace();
    const written = this.#copy(kept);
    return this.#differs ? undefined : written;
  }

  /** Writes the value that begins here, as far as it is kept; ends behind it. */
  #copy(kept: unknown): string {
    const code = this.#text.charCodeAt(this.#at);
    if (code === 0x7b && typeof kept === "object" && kept !== null && !Array.isArray(kept))
      return this.#copyObject(kept as Record<string, unknown>);
    if (code === 0x5b && Array.isArray(kept)) return this.#copyList(kept);
    const from = this.#at;
    this.#skipValue();
    if (typeof kept !== "number" || code === 0x22) return JSON.stringify(kept);
    const source = this.#text.slice(from, this.#at);
    return Number(source) === kept ? source : JSON.stringify(kept);
  }

  #copyObject(kept: Record<string, unknown>): string {
    const written = new Set<string>();
    let out = "{";
    for (let more = this.#enter(0x7d); more; more = this.#goOn(0x7d)) {
      const name = this.#readName();
      if (kept[name] === undefined || !Object.hasOwn(kept, name)) {
        this.#skipValue();
        continue;
      }
      if (written.has(name)) this.#differs = true;
      written.add(name);
      out += `${out === "{" ? "" : ","}${JSON.stringify(name)}:${this.#copy(kept[name])}`;
    }
    // What a schema filled in.
    for (const name of Object.keys(kept))
      if (!written.has(name) && kept[name] !== undefined)
        out += `${out === "{" ? "" : ","}${JSON.stringify(name)}:${JSON.stringify(kept[name])}`;
    return `${out}}`;
  }

  #copyList(kept: readonly unknown[]): string {
    const parts: string[] = [];
    for (let more = this.#enter(0x5d); more; more = this.#goOn(0x5d))
      parts.push(this.#copy(kept[parts.length]));
    if (parts.length !== kept.length) this.#differs = true;
    return `[${parts.join(",")}]`;
  }

  /** Past the bracket; false if what it opens ends at once. */
  #enter(end: number): boolean {
    this.#at++;
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== end) return true;
    this.#at++;
    return false;
  }

  /** Past a comma; false if there was an end instead. */
  #goOn(end: number): boolean {
    this.#skipSpace();
    const isEnd = this.#text.charCodeAt(this.#at++) === end;
    this.#skipSpace();
    return !isEnd;
  }

  #readName(): string {
    const from = this.#at;
    this.#at = stringEnd(this.#text, from + 1) + 1;
    const source = this.#text.slice(from, this.#at);
    this.#skipSpace();
    this.#at++;
    this.#skipSpace();
    return source.includes("\\") ? String(JSON.parse(source)) : source.slice(1, -1);
  }

  #skipValue(): void {
    let depth = 0;
    do {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) this.#at = stringEnd(this.#text, this.#at + 1) + 1;
      else if (code === 0x7b || code === 0x5b) {
        depth++;
        this.#at++;
      } else if (code === 0x7d || code === 0x5d) {
        depth--;
        this.#at++;
      } else if (isBetween(code)) this.#at++;
      else this.#skipWord();
    } while (depth > 0);
  }

  /** A number, `true`, `false`, `null`. */
  #skipWord(): void {
    for (;;) {
      const code = this.#text.charCodeAt(++this.#at);
      if (isBetween(code) || code === 0x7d || code === 0x5d || Number.isNaN(code)) return;
    }
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;
/** Spaces, commas, colons. */
const isBetween = (code: number): boolean => isSpace(code) || code === 44 || code === 58;

/**
 * Tells whether a text says nothing besides the value that was read from it: no object in it names a key twice, the first time with what
 * should not leave.
 *
 * @param members how many members all objects of the value have
 */
export function saysNoMore(text: string, members: number): boolean {
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) at = stringEnd(text, at + 1);
    else if (code === 58) colons++;
  }
  return colons === members;
}

/** Where a string ends, in a text that is JSON. */
function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote;
}

function isEscaped(text: string, quote: number): boolean {
  let start = quote;
  while (text.charCodeAt(start - 1) === 92) start--;
  return (quote - start) % 2 === 1;
}
