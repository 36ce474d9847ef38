import type { DetectorEntry } from "./detector.ts";
import { latin1 } from "./tokens.ts";

/** A map in a `data:` address, in base64 or as it is. Documents about maps show shorter ones. */
export const inlineMapDetector: DetectorEntry = {
  needles: [new TextEncoder().encode("sourceMappingURL=data:")],
  detect: (bytes, start, needle) => {
    const rest = latin1(bytes, start + needle.length, start + needle.length + 200);
    if (!/^application\/json[^\s"'*]{80}/.test(rest)) return undefined;
    return {
      level: "hit",
      rule: "source-map",
      from: start,
      to: start + needle.length,
      message: "a source map inside this file, which shows the sources of what was built",
      excerpt: "",
      hint: "Switch inline source maps off for what is published",
    };
  },
};
