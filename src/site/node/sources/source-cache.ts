import { hash } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const Facts = z.strictObject({
  /** Its address; behind a `#` what was posted, as a digest. */
  url: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  next: z.string().optional(),
  /** When it was read: milliseconds since 1970. */
  readAt: z.number(),
  /** Until when it needs not be asked for again. */
  freshUntil: z.number().optional(),
});

/** What a source answered in an earlier build. */
export type KeptAnswer = z.infer<typeof Facts> & { readonly text: string };

/** Answers of earlier builds, by collection and address. A damaged one is as good as none. */
export interface SourceCache {
  recall(collection: string, url: string): KeptAnswer | undefined;
  keep(collection: string, answer: KeptAnswer): void;
}

/** Opens the cache in a folder. Nothing in it is named after a token or holds one. */
export function openSourceCache(folder: string): SourceCache {
  const fileOf = (collection: string, url: string): string =>
    join(folder, `${hash("sha256", JSON.stringify([collection, url]))}.json`);
  return {
    recall: (collection, url) => readAnswer(fileOf(collection, url), url),
    keep(collection, { text, ...facts }) {
      const covered = `${JSON.stringify(facts)}\n${text}`;
      const file = fileOf(collection, facts.url);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const fresh = `${file}.${crypto.randomUUID()}.part`;
      writeFileSync(fresh, `${hash("sha256", covered)}\n${covered}`, { mode: 0o600, flag: "wx" });
      renameSync(fresh, file);
    },
  };
}

function readAnswer(file: string, url: string): KeptAnswer | undefined {
  try {
    const content = readWithoutLinks(file);
    const covered = content.slice(65);
    if (content.slice(0, 65) !== `${hash("sha256", covered)}\n`) return undefined;
    const end = covered.indexOf("\n");
    const facts = Facts.parse(JSON.parse(covered.slice(0, end)));
    return facts.url === url ? { ...facts, text: covered.slice(end + 1) } : undefined;
  } catch {
    return undefined;
  }
}

function readWithoutLinks(file: string): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}
