import { generateKeyPair, randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const SigningKey = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string(),
  alg: z.literal("ES256"),
  use: z.literal("sig"),
});
const Keys = z.object({ signing: SigningKey, cookies: z.array(z.string().min(32)).min(1) });

/** The provider's private keys: one that signs tokens, those that sign cookies. */
export type LoginKeys = z.infer<typeof Keys>;

/**
 * Reads the provider's keys. The first start makes them, for its owner's eyes only (0600).
 *
 * @throws {Error} when the file holds something else.
 */
export async function loadKeys(file: string): Promise<LoginKeys> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) await writeOnce(file, JSON.stringify(await makeKeys()));
  try {
    return Keys.parse(JSON.parse(text ?? (await readFile(file, "utf8"))));
  } catch (cause) {
    throw new Error(`${file} does not hold the login's keys. Remove it: the next start makes new ones.`, {
      cause,
    });
  }
}

/** Writes a file in full or not at all, and leaves one that is there already: two starts at once agree on one. */
async function writeOnce(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft);
  }
}

async function makeKeys(): Promise<unknown> {
  const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  return {
    signing: { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" },
    cookies: [randomBytes(32).toString("base64url")],
  };
}
