import { passOverCode } from "./pass-over-code.ts";
import { layout, look, nameFactor, nameSlots } from "./pass-over-layout.ts";
import { mayStartScript } from "../scan/weigh.ts";

/** Passes over what can't matter in a page's body: from an offset to that of the next `<` which may matter, or behind `end`. */
export type PassOver = (at: number, end: number) => number;

/** The program, and where it has its page. */
export interface PassOverMachine {
  readonly page: Uint8Array;
  readonly passOver: PassOver;
}

/** Names of tags that mean nothing to the scanner by themselves, and `a`, of which it knows what matters. */
export const passedNames = (
  "a abbr acronym address article aside b bdi bdo big br caption center cite code colgroup dd del details dfn dialog dir div dl dt em " +
  "figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i ins kbd label legend li main map mark menu meter nav nobr ol optgroup option " +
  "output p picture pre progress q rp rt ruby s samp section select slot small span strike strong sub summary sup table tbody td tfoot " +
  "th thead time tr tt u ul var wbr"
).split(" ");

/** Behind the page: what ends its loops, and what is read beyond that. */
const spareBytes = 64;

let machine: PassOverMachine | undefined;
let isTried = false;

/** The one there is; undefined where WebAssembly isn't, or isn't allowed. Pages longer than its `page` are none of its business. */
export function passOverMachine(): PassOverMachine | undefined {
  if (isTried) return machine;
  isTried = true;
  machine = startMachine();
  return machine;
}

function startMachine(): PassOverMachine | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const bytes = Uint8Array.from(atob(passOverCode), (character) => character.charCodeAt(0));
  // A page's policy may forbid it, and an engine may know no SIMD.
  if (!WebAssembly.validate(bytes)) return undefined;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    const { run, memory } = exports as { run: PassOver; memory: WebAssembly.Memory };
    fillTables(memory.buffer);
    const length = memory.buffer.byteLength - layout.page - spareBytes;
    const page = new Uint8Array(memory.buffer, layout.page, length);
    return { page, passOver: (at, end) => run(at + layout.page, end + layout.page) - layout.page };
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

function fillTables(memory: ArrayBuffer): void {
  const names = new BigUint64Array(memory, layout.names, nameSlots);
  for (const name of passedNames) {
    const key = keyOf(name);
    const slot = Number(BigInt.asUintN(64, key * nameFactor) >> 54n);
    if (names[slot] !== 0n) throw new TypeError(`Two names share a slot: change the factor (${name})`);
    names[slot] = key;
  }
  const isLetter = /[a-z]/i;
  const attributes = new Uint8Array(memory, layout.attributes, 256);
  const onAnchors = new Uint8Array(memory, layout.anchorAttributes, 256);
  for (let byte = 0; byte < 256; byte++) {
    const letter = String.fromCharCode(byte);
    const what = isLetter.test(letter) ? 0 : look.always;
    attributes[byte] = what;
    onAnchors[byte] = what;
  }
  // `on…`, `style`, `background`; and `ping`, `attributionsrc`.
  for (const table of [attributes, onAnchors]) for (const pair of ["on", "st", "ba"]) lookFor(table, pair);
  for (const pair of ["pi", "at"]) lookFor(onAnchors, pair);
  for (const letter of "hH") onAnchors[letter.charCodeAt(0)] = look.address;
  new Uint8Array(memory, layout.scripts, 256).set(mayStartScript);
}

function lookFor(table: Uint8Array, pair: string): void {
  for (const first of [pair.charCodeAt(0), pair.toUpperCase().charCodeAt(0)])
    table[first] = pair.charCodeAt(1);
}

/** A name as eight bytes, the first the lowest. */
function keyOf(name: string): bigint {
  let key = 0n;
  for (let at = name.length - 1; at >= 0; at--) key = (key << 8n) | BigInt(name.charCodeAt(at));
  return key;
}
