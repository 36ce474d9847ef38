import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keepFormerBlobs, linkOrCopy, makeFolder, written } from "../../harden/node.ts";
import type { HardenedFolder } from "../../harden/node.ts";
import { emitHost } from "../../hosts/index.ts";
import type { Emission, HostName, Placement } from "../../hosts/index.ts";
import type { SiteEncodings } from "./compress-site.ts";
import type { HardenSiteOptions } from "../hardening/harden-site.ts";
import { uniqueBy } from "../unique-by.ts";
import { formerBlobs, writeManifest } from "../hardening/write-site-manifest.ts";

/** Hosts' files name the site. Until it is known, they are for a look on the developer's own machine. */
const trialOrigin = "https://localhost";

/** Lays the site out as its host wants it, in a folder that will take the place of `out`; returns what the operator should know. */
export function layOutSite(
  fresh: string,
  hardened: HardenedFolder,
  encodings: SiteEncodings,
  { out, host, origin, place: at }: Pick<HardenSiteOptions, "out" | "host" | "origin" | "place">,
): readonly string[] {
  const digests = new Map(hardened.files.map((file) => [file.path, file.sha256]));
  const blob = (path: string, encoding: Placement["encoding"]): string => {
    const plain = digests.get(path) ?? "";
    const form = encodings.get(plain)?.find((candidate) => candidate.encoding === encoding);
    return join(fresh, "blobs", form?.sha256 ?? plain);
  };
  const emission = host === undefined ? undefined : emit(host, hardened, encodings, { origin, place: at });
  const placements =
    emission?.placements ??
    uniqueBy(hardened.files, ({ source }) => source).map(({ source, path }) => ({
      file: `site/${source}`,
      path,
      encoding: "identity" as const,
    }));
  for (const { file, path, encoding } of placements) {
    const place = join(fresh, file);
    if (place === blob(path, encoding)) continue;
    makeFolder(dirname(place));
    linkOrCopy(blob(path, encoding), place);
  }
  for (const { path, text } of emission?.files ?? []) {
    makeFolder(dirname(join(fresh, path)));
    written(() => writeFileSync(join(fresh, path), text));
  }
  if (!placements.some(({ file }) => file.startsWith("blobs/")))
    rmSync(join(fresh, "blobs"), { recursive: true, force: true });
  const former = keepFormerBlobs(fresh, out, formerBlobs(out));
  written(() => writeManifest(fresh, hardened, { origin, formerBlobs: former }));
  return [
    ...(host !== undefined && origin === undefined
      ? [
          `It is written for ${trialOrigin}, to be tried out. For the site's own name say  --origin https://www.example.com`,
        ]
      : []),
    ...(emission?.notes ?? []),
  ];
}

function emit(
  host: HostName,
  { files, notFound }: HardenedFolder,
  encodings: SiteEncodings,
  { origin, place = {} }: Pick<HardenSiteOptions, "origin" | "place">,
): Emission {
  const site = {
    origin: origin ?? trialOrigin,
    files: files.map((file) => ({ ...file, encodings: encodings.get(file.sha256) ?? [] })),
    ...(notFound === undefined ? {} : { notFound }),
  };
  return emitHost(host, site, { nginx: place, caddy: place });
}
