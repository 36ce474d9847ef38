import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Header, ReleaseManifest } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";

/** What a hardened folder declares: written by `curtainwall harden` as `curtainwall-site.json`. */
export interface SiteManifest {
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  /** In the words of a release. The bytes themselves lie elsewhere: offsets mean nothing. */
  readonly manifest: ReleaseManifest;
}

const HeaderSchema = z.tuple([z.string(), z.string()]);
const SiteManifestSchema = z.object({
  format: z.literal("curtainwall-site 1"),
  origin: z.string().optional(),
  notFound: z.string().optional(),
  headerSets: z.array(z.array(HeaderSchema)),
  files: z.array(
    z.object({
      path: z.string().startsWith("/"),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.int().nonnegative(),
      headers: z.int().nonnegative(),
    }),
  ),
});

/**
 * Reads the manifest of a hardened folder, so that what a host serves can be compared with it. It is not signed: whoever can write
 * the file decides what it says.
 *
 * @returns undefined when the file is something else, a release for one
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when it is one, but damaged
 */
export function readSiteManifest(file: string): SiteManifest | undefined {
  const bytes = read(file);
  // Releases begin with a magic line, JSON with a brace.
  if (bytes[0] !== 0x7b || !bytes.subarray(0, 200).includes('"curtainwall-site ')) return undefined;
  const { headerSets, files, notFound } = parse(file, bytes.toString("utf8"));
  const headersOf = (index: number): readonly Header[] => {
    const headers = headerSets[index];
    if (headers === undefined) throw damaged(file, "it names headers that it does not hold");
    return headers;
  };
  return {
    digest: createHash("sha256").update(bytes).digest("hex"),
    manifest: {
      format: 2,
      files: files
        .map(({ path, sha256, bytes: length, headers }) => ({
          path,
          headers: headersOf(headers),
          variants: [{ encoding: "identity" as const, offset: 0, length, sha256 }],
        }))
        .sort((left, right) => (left.path < right.path ? -1 : 1)),
      redirects: [],
      encoders: {},
      ...(notFound === undefined ? {} : { notFound }),
    },
  };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CurtainwallError(
      "STACK_FILE_UNREADABLE",
      `${file} can't be read: ${(cause as Error).message}.`,
      {
        cause,
        hint: "Name a file that you can read:  --manifest <file>",
      },
    );
  }
}

function parse(file: string, text: string): z.infer<typeof SiteManifestSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(file, "it is no JSON");
  }
  const result = SiteManifestSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw damaged(file, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}`);
}

const damaged = (file: string, what: string): CurtainwallError =>
  new CurtainwallError("STACK_FILE_UNREADABLE", `${file} can't be read: ${what}.`, {
    hint: "Harden the site again:  npx curtainwall harden <folder>",
  });
