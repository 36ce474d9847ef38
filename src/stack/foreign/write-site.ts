import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createReleaseWriter } from "../../contract/index.ts";
import type { Contract, Header, ReleaseSink, WrittenRelease } from "../../contract/index.ts";
import type { CompressedForms, Compressor } from "../../shared/node.ts";
import type { Address } from "./addresses.ts";
import { ahead } from "./ahead.ts";
import { createStackHeaders } from "./stack-headers.ts";

/** What {@link writeSite} writes. */
export interface SiteToWrite {
  readonly contract: Pick<Contract, "routes">;
  /** Sorted by source. */
  readonly addresses: readonly Address[];
  /** The folder of the hardened bytes, each under its SHA-256. */
  readonly blobs: string;
  readonly notFound: string | undefined;
  readonly compressor: Compressor;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Writes a hardened site as a release, file by file: no more than a few of them are in memory. */
export async function writeSite(
  sink: ReleaseSink,
  { contract, addresses, blobs, notFound, compressor, onProgress }: SiteToWrite,
): Promise<WrittenRelease> {
  const writer = createReleaseWriter(sink);
  const headersOf = createStackHeaders(contract);
  const load = async (group: readonly Address[]): Promise<Loaded> => {
    const [{ sha256, headers }] = group as [Address];
    const bytes = await readFile(join(blobs, sha256));
    return {
      group,
      bytes,
      variants: isCompressible(headers) ? await compressor.compress(bytes, sha256) : {},
    };
  };
  const groups = bySource(addresses);
  let done = 0;
  for await (const { group, bytes, variants } of ahead(groups, 2 * availableParallelism(), load)) {
    for (const { path, headers } of group)
      await writer.add({ path, headers: headersOf(headers), bytes: { identity: bytes, ...variants } });
    onProgress?.(++done, groups.length);
  }
  return writer.finish({ encoders: compressor.encoders, ...(notFound === undefined ? {} : { notFound }) });
}

interface Loaded {
  readonly group: readonly Address[];
  readonly bytes: Uint8Array;
  readonly variants: CompressedForms;
}

function bySource(addresses: readonly Address[]): Address[][] {
  const groups: Address[][] = [];
  for (const address of addresses) {
    const last = groups.at(-1);
    if (last?.[0]?.source === address.source) last.push(address);
    else groups.push([address]);
  }
  return groups;
}

/** Pictures, fonts and archives are compressed already. */
function isCompressible(headers: readonly Header[]): boolean {
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? "";
  return /^text\/|[/+](?:json|xml|javascript|wasm|manifest\+json)\b|^font\/(?:ttf|otf)/.test(type);
}
