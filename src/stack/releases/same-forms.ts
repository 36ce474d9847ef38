import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Encoding } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";

/** A file of a release in all its forms. */
export type FileForms = Readonly<Partial<Record<Encoding, Uint8Array>>>;

const expanders: Readonly<
  Record<
    Exclude<Encoding, "identity">,
    (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array
  >
> = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync };

/**
 * The first compressed form of a file that does not expand to its very bytes. Only those are searched and compared with others, and the
 * forms come from a process that runs templates, and from a cache that it can write to.
 */
export function foreignForm(forms: FileForms): Encoding | undefined {
  const plain = forms.identity ?? new Uint8Array();
  return (Object.keys(expanders) as (keyof typeof expanders)[]).find((encoding) => {
    const form = forms[encoding];
    if (form === undefined) return false;
    try {
      const expanded = expanders[encoding](form, { maxOutputLength: Math.max(plain.length, 1) });
      return Buffer.compare(expanded, plain) !== 0;
    } catch {
      return true;
    }
  });
}

/** @throws {CurtainwallError} `STACK_BUILD_FAILED` unless all forms of a file hold the same */
export function assertSameForms(path: string, forms: FileForms): void {
  const form = foreignForm(forms);
  if (form === undefined) return;
  throw new CurtainwallError<StackErrorCode>(
    "STACK_BUILD_FAILED",
    `What the build made of ${JSON.stringify(path)} holds something else in its compressed form ${form}.`,
    {
      hint: "Something wrote to the builder's cache. Remove it and build again:  rm -r .curtainwall/cache/site",
    },
  );
}
