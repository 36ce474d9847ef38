import { z } from "zod";

/** What a builder is told, as the last word of its command line. */
export interface BuilderOrder {
  /** The contract's file. */
  readonly file: string;
  readonly cacheFolder: string;
  readonly drafts: boolean;
  /** A file with what the contract's sources answered, as JSON; undefined when there are none. */
  readonly answersFile?: string;
}

/** The descriptor that a builder reports on. */
export const reportFd = 3;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const place = z.strictObject({ path: z.string().max(4096), policy: z.string() });

/** One line of a builder's report. It comes from a process that runs templates: nothing in it is believed unread. */
export const BuilderMessage = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("progress"),
    // Shown on a terminal as it is.
    step: z.string().regex(/^[a-z ]{1,40}$/),
    done: z.int().min(0),
    total: z.int().min(0),
  }),
  z.strictObject({
    type: z.literal("failed"),
    code: z.string().regex(/^[A-Z][A-Z0-9_]{2,60}$/),
    message: z.string(),
    hint: z.string().optional(),
  }),
  /** The release's bytes follow this line. */
  z.strictObject({
    type: z.literal("built"),
    releaseBytes: z
      .int()
      .min(1)
      .max(2 ** 32),
    pages: z.array(place),
    files: z.int().min(0),
    bytes: z.int().min(0),
    warnings: z.array(z.strictObject({ file: z.string(), line: z.int().optional(), message: z.string() })),
    untranslated: z.array(z.strictObject({ locale: z.string(), files: z.array(z.string()) })),
    /** Variables that were asked for and not given. */
    missed: z.array(z.string().max(200)).max(200),
    /** The name of what the builder noted to make a page by itself. */
    notes: sha256.optional(),
  }),
]);

/** What a line of a builder's report says. */
export type BuilderMessage = z.infer<typeof BuilderMessage>;
