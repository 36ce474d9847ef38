import { hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Pictures that builds before have made, each in a file of its own that begins with its checksum. */
export interface PictureCache {
  /** What was kept under a key, or what `make` makes, which is then kept. A file that was changed is as good as none. */
  take(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array>;
  /** Removes what was not taken. */
  tidy(): void;
}

const checksumLength = 32;

/** Opens the pictures of a folder, which need not exist. */
export function openPictureCache(folder: string): PictureCache {
  const taken = new Set<string>();

  return {
    async take(key, make) {
      taken.add(key);
      const file = join(folder, key);
      const known = read(file, key);
      if (known !== undefined) return known;
      const picture = await make();
      mkdirSync(folder, { recursive: true });
      const fresh = `${file}.${crypto.randomUUID()}.part`;
      writeFileSync(fresh, Buffer.concat([checksumOf(key, picture), picture]), { mode: 0o600 });
      renameSync(fresh, file);
      return picture;
    },
    tidy() {
      for (const name of list(folder)) if (!taken.has(name)) rmSync(join(folder, name), { force: true });
    },
  };
}

/** Of the key too: a file under another's name is none. */
function checksumOf(key: string, picture: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([Buffer.from(key), picture]), "buffer");
}

function read(file: string, key: string): Uint8Array | undefined {
  try {
    const bytes = readFileSync(file);
    const picture = bytes.subarray(checksumLength);
    return checksumOf(key, picture).equals(bytes.subarray(0, checksumLength)) ? picture : undefined;
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
