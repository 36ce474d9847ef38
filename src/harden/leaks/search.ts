import { judgeContent, isSourceMap } from "./contents.ts";
import type { Derived } from "./derived.ts";
import { gap } from "./derived.ts";
import type { Detector, DetectorEntry, Finding } from "./detector.ts";
import { decodeEscapes } from "./escapes.ts";
import { createMatcher } from "./matcher.ts";
import { printable } from "./mask.ts";
import { judgeName } from "./names.ts";
import { mayBePacked, openPacked } from "./packed.ts";
import type { Member } from "./packed.ts";
import { decodeBase64Runs, decodeHexRuns } from "./runs.ts";
import { isTar } from "./tar.ts";
import type { LeakEncoding, LeakFile, Unpack } from "./types.ts";
import { decodeWideText } from "./wide-text.ts";

/** A finding, with where in a file it stands. */
export interface Sighting {
  readonly finding: Omit<Finding, "from" | "to" | "encodings">;
  readonly member: string | undefined;
  readonly encodings: readonly LeakEncoding[];
  /** The bytes that `offset` counts in: the file's, or what was unpacked. */
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** Options of {@link createSearch}. */
export interface SearchOptions {
  readonly detectors: readonly DetectorEntry[];
  readonly unpack: Unpack;
  readonly maxDepth: number;
  readonly maxUnpackedBytes: number;
  /** Bytes that can be a part of what is looked for. */
  readonly relevant: Uint8Array;
  /** Whether a file's source map is published on purpose. */
  readonly isPublicMap: (path: string) => boolean;
}

/** Searches a file through all its layers. */
export type Search = (file: LeakFile, report: (sighting: Sighting) => void) => void;

/** Bytes at some depth: the file's, a member's, or decoded ones. */
interface Layer {
  readonly bytes: Uint8Array;
  /** What its ending tells how it is written. */
  readonly name: string;
  readonly member: string | undefined;
  readonly depth: number;
  /** The bytes that places are told in, and the way there. */
  readonly base: Uint8Array;
  readonly toBase: (index: number) => number;
  readonly encodings: (from: number, to: number) => readonly LeakEncoding[];
}

interface Budget {
  packed: number;
  text: number;
}

/** Token characters beyond values': letters, digits and what base64 and identifiers have. */
const tokenBytes = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/+",
);

/** Makes a {@link Search} that looks for what the detectors know, raw and in every encoding that is opened. */
export function createSearch(options: SearchOptions): Search {
  const matcher = createMatcher<Detector>(
    options.detectors.flatMap(({ needles, detect }) => needles.map((bytes) => ({ bytes, meaning: detect }))),
  );
  const relevant = Uint8Array.from(options.relevant);
  for (const byte of tokenBytes) relevant[byte] = 1;
  // The longest tokens are longer than their needles; their beginnings are enough to be found whole in most texts.
  const reach = Math.max(matcher.longest, 320);

  return (file, report) => {
    // One kind of array, so that the loops over bytes are compiled for it: Node's Buffer is another.
    const bytes = new Uint8Array(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length);
    const budget: Budget = { packed: options.maxUnpackedBytes, text: 16_777_216 + 4 * file.bytes.length };
    const whole: Layer = {
      bytes,
      name: file.path,
      member: undefined,
      depth: 0,
      base: bytes,
      toBase: (index) => index,
      encodings: () => [],
    };
    inspect(whole);

    function inspect(layer: Layer): void {
      if (layer.base === layer.bytes) judge(layer);
      // Its members are all that it holds; each is searched under its name.
      if (layer.base === layer.bytes && isTar(layer.bytes))
        return open(layer, layer.bytes, 0, layer.encodings(0, 0));
      matcher.scan(layer.bytes, ({ meaning, bytes }, start) => {
        const finding = meaning(layer.bytes, start, bytes);
        if (finding !== undefined) sight(layer, finding);
      });
      const wide = decodeWideText(layer.bytes);
      if (wide !== undefined) return descend(layer, wide);
      const css = layer.name.endsWith(".css");
      descend(layer, decodeEscapes(layer.bytes, { relevant, reach, css }));
      descend(layer, decodeBase64Runs(layer.bytes));
      descend(layer, decodeHexRuns(layer.bytes));
      // Decoded stretches that may be packed were opened where they begin; see descend.
      if (layer.base === layer.bytes) open(layer, layer.bytes, 0, layer.encodings(0, 0));
    }

    function sight(layer: Layer, { from, to, encodings = [], ...finding }: Finding): void {
      const chain = [...layer.encodings(from, to), ...encodings];
      const { member, base: bytes } = layer;
      report({ finding, member, encodings: chain, bytes, offset: layer.toBase(from) });
    }

    function problem(layer: Layer, what: string): void {
      sight(layer, {
        level: "hit",
        rule: "unsearchable",
        from: 0,
        to: 0,
        message: printable(what),
        excerpt: "",
        hint: "Publish it unpacked, or say in an exception why it needs no search",
      });
    }

    function descend(layer: Layer, derived: Derived | undefined): void {
      if (derived === undefined || layer.depth >= options.maxDepth) return;
      budget.text -= derived.bytes.length;
      if (budget.text < 0) return problem(layer, "it is encoded so often that it is not looked into further");
      const next: Layer = {
        ...layer,
        bytes: derived.bytes,
        depth: layer.depth + 1,
        toBase: (index) => layer.toBase(derived.toSource(index)),
        encodings: (from, to) => [
          ...layer.encodings(derived.toSource(from), derived.toSource(to)),
          ...derived.encodings(from, to),
        ],
      };
      inspect(next);
      for (const [index, start] of derived.starts.entries()) {
        if (!mayBePacked(derived.bytes, start)) continue;
        const end = (derived.starts[index + 1] ?? derived.bytes.length) - gap;
        open(next, derived.bytes.subarray(start, end), next.toBase(start), next.encodings(start, end));
      }
    }

    function open(layer: Layer, bytes: Uint8Array, at: number, encodings: readonly LeakEncoding[]): void {
      const opened = openPacked(bytes, layer.name, {
        unpack: options.unpack,
        maxBytes: () => budget.packed,
        onUnpacked: (length) => (budget.packed -= length),
      });
      if (opened === undefined) return;
      const here = { ...layer, toBase: () => at, encodings: () => encodings };
      for (const what of opened.problems) problem(here, what);
      if (layer.depth < options.maxDepth) for (const member of opened.members) enter(here, member, encodings);
      else problem(here, `it is packed more than ${options.maxDepth} times`);
    }

    function enter(layer: Layer, { name, encoding, bytes }: Member, outer: readonly LeakEncoding[]): void {
      const inner = layer.name.replace(/\.(?:gz|br|zst|tgz)$/i, "");
      const encodings = encoding === undefined ? outer : [...outer, encoding];
      const member = name === undefined ? layer.member : [layer.member, name].filter(Boolean).join("!");
      inspect({
        bytes,
        name: name ?? inner,
        member,
        depth: layer.depth + 1,
        base: bytes,
        toBase: (index) => index,
        encodings: () => encodings,
      });
    }

    /** What names and first bytes tell, of files and of archives' members. */
    function judge(layer: Layer): void {
      const at = { from: 0, to: 0, excerpt: "" };
      const byName = layer.depth === 0 || layer.member !== undefined ? judgeName(layer.name) : undefined;
      if (byName !== undefined)
        sight(layer, {
          ...at,
          level: byName.level,
          rule: byName.rule,
          message: byName.what,
          hint: byName.hint,
        });
      const byContent = judgeContent(layer.bytes);
      if (byContent !== undefined)
        sight(layer, {
          ...at,
          level: "hit",
          rule: byContent.rule,
          message: byContent.what,
          hint: byContent.hint,
        });
      if (
        options.isPublicMap(file.path) ||
        !(/\.(?:[cm]?js|css)\.map$/i.test(layer.name) || isSourceMap(layer.bytes))
      )
        return;
      sight(layer, {
        ...at,
        level: "hit",
        rule: "source-map",
        message: "a source map, which shows the sources of what was built",
        hint: "Switch source maps off for what is published, or declare this one public: leaks.publicSourceMaps",
      });
    }
  };
}
