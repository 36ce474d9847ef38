import { revealSecret } from "../../shared/index.ts";
import type { DetectorEntry } from "./detector.ts";
import { mask, printable } from "./mask.ts";
import { whyNotSearchable } from "./searchable.ts";
import type { LeakRule, NotSearched, PrivateValue } from "./types.ts";
import { formsOf, piecesOf } from "./value-forms.ts";

/** What is looked for on behalf of private values. */
export interface ValueSearch {
  readonly detectors: readonly DetectorEntry[];
  readonly notSearched: readonly NotSearched[];
  /** By byte: whether a value has it. */
  readonly relevant: Uint8Array;
}

const hints: Readonly<Record<string, string>> = {
  "private-value":
    "Change the value: it counts as known once it was published. Then find what wrote it into the output; only publicEnv may reach it",
  "environment-value":
    "If visitors may know it, declare it in publicEnv; else change the value and find what wrote it into the output",
  canary: "Something that must never be read was copied into the output: find what did",
};

/** Makes detectors for values, each in all its forms. Only the forms' bytes and masked ends are kept. */
export function searchValues(values: Iterable<PrivateValue>): ValueSearch {
  const detectors: DetectorEntry[] = [];
  const notSearched: NotSearched[] = [];
  const relevant = new Uint8Array(256);
  for (const [text, names] of byPiece(values, notSearched)) {
    for (const { bytes, encodings } of formsOf(text)) {
      if (encodings.length === 0) for (const byte of bytes) relevant[byte] = 1;
      const excerpt = mask(text);
      detectors.push({
        needles: [bytes],
        detect: (_, start, needle) => ({
          level: "hit",
          rule: names.rule,
          from: start,
          to: start + needle.length,
          message: `the value of ${printable([...names.list].join(" and of "))}`,
          excerpt,
          hint: hints[names.rule] ?? "",
          encodings,
        }),
      });
    }
  }
  if (relevant.some((flag, byte) => flag === 1 && byte >= 0x80)) relevant[0x80] = 1;
  return { detectors, notSearched, relevant };
}

interface Names {
  readonly rule: LeakRule;
  readonly list: Set<string>;
}

/** One value may have several names; it is looked for once. */
function byPiece(values: Iterable<PrivateValue>, notSearched: NotSearched[]): Map<string, Names> {
  const pieces = new Map<string, Names>();
  for (const { name, value, rule = "private-value" } of values) {
    const texts = piecesOf(revealSecret(value));
    const reasons = texts.map(whyNotSearchable);
    const [first] = reasons;
    if (texts.length === 0 || reasons.every((reason) => reason !== undefined))
      notSearched.push({ kind: "value", name, reason: first ?? "it has no part that could be looked for" });
    for (const [index, text] of texts.entries()) {
      if (reasons[index] !== undefined) continue;
      const names = pieces.get(text) ?? { rule, list: new Set() };
      names.list.add(name);
      pieces.set(text, names);
    }
  }
  return pieces;
}
