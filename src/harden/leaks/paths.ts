import type { DetectorEntry, Finding } from "./detector.ts";
import { printable } from "./mask.ts";
import { isInWord, isWord, latin1 } from "./tokens.ts";
import type { NotSearched } from "./types.ts";

const encoder = new TextEncoder();

/** Detectors for folders of the machine that builds, and for those of other machines. */
export function pathDetectors(roots: readonly string[]): {
  detectors: DetectorEntry[];
  notSearched: NotSearched[];
} {
  const own = [...new Set(roots.map(trimEnd))].filter((root) => root.length > 1 && !everybodys.has(root));
  // `/app` or `/root` may be an address of the site; as a file's URL it is none.
  const plain = new Set(own.filter(isTelling));
  const texts = own.flatMap((root) => [...fileUrls(root), ...(plain.has(root) ? [root] : [])]);
  const notSearched = own
    .filter((root) => !plain.has(root))
    .map((root) => ({
      kind: "folder" as const,
      name: `the folder ${root}`,
      reason: `it is too short to be told from an address: only file://${root} is looked for`,
    }));
  const detectors = [
    { needles: texts.map((text) => encoder.encode(text)), detect: detectOwn },
    { needles: homes.map((text) => encoder.encode(text)), detect: detectForeign(own) },
  ];
  return { detectors, notSearched };
}

/** Folders that every machine has, and every text about machines. */
const everybodys = new Set(["/tmp", "/var/tmp", "/usr", "/var", "/home", "/opt", "/srv", "/etc", "/mnt"]);

const trimEnd = (root: string): string => root.replace(/[/\\]+$/, "");
/** At least two folders deep, or long. */
const isTelling = (root: string): boolean =>
  root.length >= 8 && (root.split(/[/\\]/).filter((part) => part !== "").length >= 2 || root.length >= 14);

function fileUrls(root: string): string[] {
  const slashes = root.replaceAll("\\", "/");
  return [`file://${slashes.startsWith("/") ? "" : "/"}${slashes}`];
}

function detectOwn(bytes: Uint8Array, start: number, needle: Uint8Array): Finding | undefined {
  const to = start + needle.length;
  // A root that ends with a dash is the beginning of names, like those of temporary folders.
  const isBeginning = needle.at(-1) === 0x2d;
  if (isInName(bytes, start) || (!isBeginning && goesOn(bytes[to]))) return undefined;
  return {
    level: "hit",
    rule: "build-path",
    from: start,
    to,
    message: "a path of the machine that built this",
    excerpt: printable(latin1(bytes, start, to)),
    hint: "Build with relative paths: most bundlers have an option for it (source maps, __dirname, module names)",
  };
}

/** Part of the same name: `/home/joe` in `/home/joel`, or in `https://example.com/home/joe`. */
const goesOn = (byte: number | undefined): boolean => isWord(byte) || byte === 0x2d || byte === 0x2e;

const isInName = (bytes: Uint8Array, at: number): boolean =>
  isWord(bytes[at - 1]) ? isInWord(bytes, at) : goesOn(bytes[at - 1]);

const homes = ["/home/", "/Users/", "\\Users\\"];

/** Names that documents use for nobody. */
const nobody = /^(?:user(?:name)?|you(?:r[\w-]*)?|me|name|test|example|shared|public|default|<.*)$/i;

function detectForeign(own: readonly string[]): DetectorEntry["detect"] {
  return (bytes, start, needle) => {
    const windows = needle[0] === 0x5c;
    // A drive, or a name that nothing stands before: else it is an address's path.
    const before = latin1(bytes, start - 2, start);
    if (windows ? !/[A-Za-z]:$/.test(before) : isInName(bytes, start)) return undefined;
    const rest = latin1(bytes, start + needle.length, start + needle.length + 80);
    const user = /^([A-Za-z][\w.-]{0,31})[/\\][\w.-]/.exec(rest)?.[1];
    if (user === undefined || nobody.test(user)) return undefined;
    const to = start + needle.length + user.length;
    const path = latin1(bytes, start, to);
    // Reported as the machine's own already.
    if (own.some((root) => isWithin(path, root) || isWithin(root, path))) return undefined;
    return {
      level: "note",
      rule: "foreign-path",
      from: start,
      to,
      message: "somebody's home folder on another machine",
      excerpt: printable(path),
      hint: "Look where it comes from: a package that was built there, or a text about it",
    };
  };
}

/** Whether one path's folders, without its drive, are the first of another's. */
function isWithin(path: string, folder: string): boolean {
  const normal = (text: string): string => `${text.replace(/^[A-Za-z]:/, "").replaceAll("\\", "/")}/`;
  return normal(path).startsWith(normal(folder));
}
