import { publicPrefixes } from "../../contract/index.ts";
import type { DetectorEntry } from "./detector.ts";
import { printable } from "./mask.ts";
import { isInWord, isWord, latin1 } from "./tokens.ts";

/** Bundlers' own. */
const builtIn = new Set(["VITE_USER_NODE_ENV", "GATSBY_ACTIVE_ENV"]);

const encoder = new TextEncoder();

/** Detector for names with a public prefix that `publicEnv` does not declare. */
export function publicNameDetector(declared: ReadonlySet<string>): DetectorEntry {
  return {
    needles: publicPrefixes.map((prefix) => encoder.encode(prefix)),
    detect: (bytes, start, needle) => {
      if (isInWord(bytes, start) || bytes[start - 1] === 0x24) return undefined;
      const name = /^[A-Z][A-Z0-9_]{2,80}/.exec(latin1(bytes, start, start + 84))?.[0];
      if (name === undefined || name.length <= needle.length || name.endsWith("_")) return undefined;
      if (declared.has(name) || builtIn.has(name) || isWord(bytes[start + name.length])) return undefined;
      return {
        level: "hit",
        rule: "public-name-undeclared",
        from: start,
        to: start + name.length,
        message: `the variable ${printable(name)}, which publicEnv does not declare`,
        excerpt: printable(name),
        hint: `If visitors may know it, add  ${printable(name)}: z.string(),  to publicEnv; else take its prefix away`,
      };
    },
  };
}
