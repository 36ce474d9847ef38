import { readFileSync } from "node:fs";
import { decodeRelease } from "../../src/contract/index.ts";
import { packFileOf } from "./project.ts";

/** The text of a page in a project's newest release. */
export async function readServedRelease(root: string, path: string): Promise<string> {
  const { manifest, body } = await decodeRelease(readFileSync(packFileOf(root)));
  const file = manifest.files.find((one) => one.path === path);
  const page = file?.variants.find(({ encoding }) => encoding === "identity");
  if (page === undefined) throw new Error(`no ${path}`);
  return new TextDecoder().decode(body.subarray(page.offset, page.offset + page.length));
}
