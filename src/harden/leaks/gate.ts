import { createExceptions } from "./exceptions.ts";
import { searchFingerprints } from "./fingerprint-search.ts";
import { mask } from "./mask.ts";
import { pathDetectors } from "./paths.ts";
import { matchesPath } from "./pattern.ts";
import { publicNameDetector } from "./public-names.ts";
import { createSearch } from "./search.ts";
import type { Sighting } from "./search.ts";
import { serverOnlyDetector } from "./server-only.ts";
import { inlineMapDetector } from "./source-map-urls.ts";
import { specialTokenDetectors } from "./special-tokens.ts";
import { tokenDetectors } from "./tokens.ts";
import type { LeakGate, LeakGateOptions, LeakHit } from "./types.ts";
import { searchValues } from "./values.ts";

/**
 * Makes the gate that every release passes: it looks in each file for private values, tokens of known kinds, private files, source
 * maps, server-only modules and paths of the machine that built; raw, encoded, and inside what is packed.
 *
 * It keeps nothing of what it saw, so files can come one by one; {@link LeakGate.finish} forgets the values too.
 */
export function createLeakGate({
  unpack,
  values = [],
  fingerprints,
  publicNames,
  buildRoots = [],
  publicSourceMaps = [],
  allow = [],
  maxDepth = 5,
  maxUnpackedBytes = 67_108_864,
  now = () => new Date(),
}: LeakGateOptions): LeakGate {
  const secrets = searchValues(values);
  const prints =
    fingerprints === undefined ? undefined : searchFingerprints(fingerprints.of, fingerprints.sha256);
  const folders = pathDetectors(buildRoots);
  const exceptions = createExceptions(allow, now());
  const search = createSearch({
    unpack,
    maxDepth,
    maxUnpackedBytes,
    prints,
    relevant: secrets.relevant.map((flag, byte) => flag | (prints?.relevant[byte] ?? 0)),
    isPublicMap: (path) => publicSourceMaps.some((pattern) => matchesPath(pattern, path)),
    detectors: [
      ...secrets.detectors,
      ...folders.detectors,
      ...tokenDetectors,
      ...specialTokenDetectors,
      ...(publicNames === undefined ? [] : [publicNameDetector(new Set(publicNames))]),
      serverOnlyDetector,
      inlineMapDetector,
    ],
  });
  return {
    notSearched: [...secrets.notSearched, ...(fingerprints?.of.notSearched ?? []), ...folders.notSearched],
    inspect(file) {
      const found = new Map<string, Found>();
      let shown = file.path;
      search(file, (sighting) => {
        if (sighting.isInPath) shown = hideStep(shown, file.path, sighting.offset);
        collect(found, file.path, sighting);
      });
      const hits = Array.from(found.values(), counted).filter((hit) => !exceptions.admits(hit));
      return shown === file.path ? hits : hits.map((hit) => ({ ...hit, path: shown }));
    },
    finish() {
      for (const { needles } of secrets.detectors) for (const needle of needles) needle.fill(0);
      return exceptions.finish();
    },
  };
}

/** Masks the step of a path that stands at a byte of it: messages tell paths. */
function hideStep(shown: string, path: string, offset: number): string {
  const before = new TextDecoder().decode(new TextEncoder().encode(path).subarray(0, offset));
  const index = before.split("/").length - 1;
  const name = path.split("/")[index] ?? "";
  return shown
    .split("/")
    .map((step, at) => (at === index && step === name ? mask(name) : step))
    .join("/");
}

interface Found {
  readonly hit: LeakHit;
  readonly offsets: Set<number>;
}

const counted = ({ hit, offsets }: Found): LeakHit => ({ ...hit, occurrences: offsets.size });

/** The places of one finding that are counted apart; one page of rubbish must not fill the memory. */
const maxOffsets = 10_000;

/** One hit for each thing that a file shows in one way, at its first place, with how often. */
function collect(
  found: Map<string, Found>,
  path: string,
  { finding, member, encodings, bytes, offset }: Sighting,
): void {
  const chain = [...new Set(encodings)];
  const key = JSON.stringify([finding.rule, finding.message, member, chain]);
  const known = found.get(key);
  // Found as base64 and found in the decoded base64: three digits apart at most.
  const place = offset >> 2;
  if (known !== undefined) {
    if (known.offsets.size < maxOffsets && !known.offsets.has(place - 1)) known.offsets.add(place);
    return;
  }
  const hit = {
    ...finding,
    path,
    member,
    offset,
    ...lineAndColumn(bytes, offset),
    encodings: chain,
    occurrences: 1,
  };
  found.set(key, { hit, offsets: new Set([place]) });
}

function lineAndColumn(bytes: Uint8Array, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0 && at < offset; at = bytes.indexOf(0x0a, at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
