import { createAllowance } from "./allowance.ts";
import { judgeContent, isSourceMap } from "./contents.ts";
import type { Derived } from "./derived.ts";
import { gap } from "./derived.ts";
import type { Detector, DetectorEntry, Finding } from "./detector.ts";
import { decodeEscapes } from "./escapes.ts";
import { createMatcher } from "./matcher.ts";
import { printable } from "./mask.ts";
import type { FingerprintSearch } from "./fingerprint-search.ts";
import { judgeName } from "./names.ts";
import { maxMembers, mayBePacked, openPacked, packedMarks } from "./packed.ts";
import type { Member } from "./packed.ts";
import { decodeBase64Runs, decodeHexRuns } from "./runs.ts";
import { isTar, listTar } from "./tar.ts";
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
  /** Whether it stands in the file's path; the bytes are the path's then. */
  readonly isInPath: boolean;
}

/** Options of {@link createSearch}. */
export interface SearchOptions {
  readonly detectors: readonly DetectorEntry[];
  /** Finds values that are not here. Undefined: there are none. */
  readonly prints: FingerprintSearch | undefined;
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
  /** Whether its parts were searched already, under their names: what was told of the file is not told again. */
  readonly isRepeat: boolean;
}

/** More places in one file where something packed begins are no accident. */
const maxMarks = 4096;

/** What {@link openPacked} or a tar archive's list shows. */
interface Contents {
  readonly members: readonly Member[];
  readonly problems: readonly string[];
}

const encoder = new TextEncoder();

/** Token characters beyond values': letters, digits and what base64 and identifiers have. */
const tokenBytes = encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/+");

/** Makes a {@link Search} that looks for what the detectors know, raw and in every encoding that is opened. */
export function createSearch(options: SearchOptions): Search {
  const matcher = createMatcher<Detector | undefined>([
    ...options.detectors.flatMap(({ needles, detect }) =>
      needles.map((bytes) => ({ bytes, meaning: detect })),
    ),
    ...packedMarks.map((bytes) => ({ bytes, meaning: undefined })),
  ]);
  const relevant = Uint8Array.from(options.relevant);
  for (const byte of tokenBytes) relevant[byte] = 1;
  // The longest tokens are longer than their needles; their beginnings are enough to be found whole in most texts.
  const reach = Math.max(matcher.longest, options.prints?.longest ?? 0, 320);

  return (file, report) => {
    // One kind of array, so that the loops over bytes are compiled for it: Node's Buffer is another.
    const bytes = new Uint8Array(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length);
    const allowance = createAllowance(options.unpack, options.maxUnpackedBytes);
    const told = new Set<string>();
    let textLeft = 16_777_216 + 4 * file.bytes.length;
    const whole: Layer = {
      bytes,
      name: file.path,
      member: undefined,
      depth: 0,
      base: bytes,
      toBase: (index) => index,
      encodings: () => [],
      isRepeat: false,
    };
    lookAtPath();
    inspect(whole);

    /** A file's address is published with it. */
    function lookAtPath(): void {
      const path = encoder.encode(file.path);
      const decoded = decodeEscapes(path, { relevant, reach, css: false });
      for (const text of [path, ...(decoded === undefined ? [] : [decoded.bytes])])
        detect(text, (finding) => {
          if (!/^(?:token-|private-value|environment-value|canary|vault-value)/.test(finding.rule)) return;
          const { from, to: _, encodings = [], ...others } = finding;
          const offset = text === path ? from : (decoded?.toSource(from) ?? 0);
          const message = `its name holds ${finding.message}`;
          const sighting = { finding: { ...others, message }, member: undefined, encodings };
          report({ ...sighting, bytes: path, offset, isInPath: true });
        });
    }

    function inspect(layer: Layer): void {
      const isWhole = layer.base === layer.bytes;
      if (isWhole) judge(layer);
      const listed = isWhole && isTar(layer.bytes) ? listTar(layer.bytes, maxMembers) : undefined;
      if (listed === undefined) {
        look(layer, []);
        return;
      }
      show(layer, layer.encodings(0, 0), listed);
      // Names, links and gaps, and all of it where a header only looks like one.
      look(
        { ...layer, isRepeat: true },
        listed.members.map(({ bytes: data }) => data),
      );
    }

    /** Looks through bytes as they are and decoded, then into what is packed in them, but for parts that were opened already. */
    function look(layer: Layer, opened: readonly Uint8Array[]): readonly number[] {
      const marks = scan(layer);
      const wide = decodeWideText(layer.bytes);
      if (wide !== undefined) descend(layer, wide);
      const css = layer.name.endsWith(".css");
      descend(layer, decodeEscapes(layer.bytes, { relevant, reach, css }));
      descend(layer, decodeBase64Runs(layer.bytes));
      descend(layer, decodeHexRuns(layer.bytes));
      // Decoded stretches were opened each for itself; see descend.
      if (layer.base === layer.bytes)
        open(layer, layer.bytes, outside(marks, layer.bytes, opened), 0, layer.encodings(0, 0));
      return marks;
    }

    /** Reports what the detectors find; returns where something packed may begin. */
    function scan(layer: Layer): readonly number[] {
      const marks: number[] = [];
      detect(
        layer.bytes,
        (finding) => sight(layer, finding),
        (start) => {
          if (marks.push(start) > maxMarks) marks.length = maxMarks;
        },
      );
      if (marks.length === maxMarks) problem(layer, "it looks packed in more places than are looked into");
      return marks;
    }

    function detect(
      text: Uint8Array,
      onFinding: (finding: Finding) => void,
      onMark: (start: number) => void = () => undefined,
    ): void {
      matcher.scan(text, ({ meaning, bytes: needle }, start) => {
        if (meaning === undefined) return onMark(start);
        const finding = meaning(text, start, needle);
        if (finding !== undefined) onFinding(finding);
      });
      options.prints?.scan(text, onFinding);
    }

    function sight(layer: Layer, { from, to, encodings = [], ...finding }: Finding): void {
      const what = `${finding.level} ${finding.rule} ${finding.message}`;
      if (layer.isRepeat && told.has(what)) return;
      told.add(what);
      const chain = [...layer.encodings(from, to), ...encodings];
      const { member, base } = layer;
      report({ finding, member, encodings: chain, bytes: base, offset: layer.toBase(from), isInPath: false });
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
      textLeft -= derived.bytes.length;
      if (textLeft < 0) return problem(layer, "it is encoded so often that it is not looked into further");
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
      openStretches(next, derived.starts, look(next, []));
    }

    function openStretches(layer: Layer, starts: readonly number[], marks: readonly number[]): void {
      let mark = 0;
      for (const [index, start] of starts.entries()) {
        const end = (starts[index + 1] ?? layer.bytes.length + gap) - gap;
        const first = mark;
        while (mark < marks.length && marks[mark]! < end) mark++;
        if (first === mark && !mayBePacked(layer.bytes, start)) continue;
        const inside = marks.slice(first, mark).map((at) => at - start);
        const encodings = layer.encodings(start, end);
        open(layer, layer.bytes.subarray(start, end), inside, layer.toBase(start), encodings);
      }
    }

    function open(
      layer: Layer,
      packed: Uint8Array,
      marks: readonly number[],
      at: number,
      encodings: readonly LeakEncoding[],
    ): void {
      const opened = openPacked({ bytes: packed, name: layer.name, marks }, allowance);
      show({ ...layer, toBase: () => at, encodings: () => encodings }, encodings, opened);
    }

    function show(layer: Layer, encodings: readonly LeakEncoding[], { members, problems }: Contents): void {
      for (const what of problems) problem(layer, what);
      if (members.length === 0) return;
      if (layer.depth < options.maxDepth) for (const member of members) enter(layer, member, encodings);
      else problem(layer, `it is packed more than ${options.maxDepth} times`);
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
        isRepeat: layer.isRepeat,
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

/** The places that stand in none of some parts of the bytes; both in ascending order. */
function outside(
  places: readonly number[],
  bytes: Uint8Array,
  parts: readonly Uint8Array[],
): readonly number[] {
  let next = 0;
  return places.filter((place) => {
    const at = place + bytes.byteOffset;
    while (next < parts.length && parts[next]!.byteOffset + parts[next]!.length <= at) next++;
    return next === parts.length || at < parts[next]!.byteOffset;
  });
}
