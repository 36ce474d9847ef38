import { join } from "node:path";
import { inertPolicy } from "../../../contract/index.ts";
import type { ContractSite } from "../../../contract/index.ts";
import type { VariantOrder } from "../../pages/asset-shelf.ts";
import { photographsIn } from "../../images/photographs.ts";
import type { SiteFile, SiteWarning, SourceFile } from "../../source.ts";
import { encodeAll } from "./encode-all.ts";
import { loadEncoder } from "./encoder.ts";
import type { SharpLoader } from "./encoder.ts";

/** What makes a site's photographs in other sizes. */
export interface VariantMaker {
  /** Undefined: nothing does. */
  readonly stamp: string | undefined;
  readonly warnings: readonly SiteWarning[];
  make(orders: readonly VariantOrder[], onPicture: (done: number) => void): Promise<SiteFile[]>;
}

/** Looks whether a site has photographs, and whether sharp is there to make others of them. */
export async function openVariantMaker(
  { images }: Pick<ContractSite, "images">,
  assets: readonly SourceFile[],
  cacheFolder: string,
  load?: SharpLoader,
): Promise<VariantMaker> {
  const [first, ...others] = images === undefined ? [] : photographsIn(assets);
  const encoder = first === undefined ? undefined : await loadEncoder(load);
  const isMissing = first !== undefined && encoder === undefined;
  return {
    stamp: encoder?.stamp,
    warnings: isMissing ? [missing(first, others.length)] : [],
    async make(orders, onPicture) {
      if (encoder === undefined) return [];
      const folder = join(cacheFolder, "pictures");
      const pictures = await encodeAll(orders, { encoder, folder, onPicture });
      return orders.map(({ path }, index) => ({
        path,
        bytes: pictures[index] ?? new Uint8Array(),
        policy: inertPolicy,
        immutable: true,
      }));
    },
  };
}

function missing({ file }: SourceFile, others: number): SiteWarning {
  const more = others === 0 ? "" : `, and so are ${others} more`;
  return {
    file,
    line: undefined,
    message: `it is published in its own size only${more}: smaller ones are made by the package sharp (npm install sharp), or write  images: false`,
  };
}
