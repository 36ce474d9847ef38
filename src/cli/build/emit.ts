import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Release } from "../../contract/index.ts";
import { freshFolder, keepFormerBlobs, replaceFolder } from "../../harden/node.ts";
import { emitHost, hostNames, siteOfRelease } from "../../hosts/index.ts";
import type { Emission, HostName } from "../../hosts/index.ts";
import { CurtainwallError, counted, nearest } from "../../shared/index.ts";
import { loadContract, readCurrentRelease, stackFolders } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";
import { placeOf, placeOptions } from "./host-place.ts";
import { print, printJson, say } from "../voice.ts";

/** Marks a folder as one that this command made, and so may replace. */
const marker = "curtainwall-emission.json";

export const emitCommand: Command = {
  name: "emit",
  usage: `[folder] --for ${hostNames.join("|")} [--out <folder>] [--at <folder>] [--certificate <chain>,<key>] [--json]`,
  summary: "Write the site's release as files for another host, which serves it as the edge does",
  options: {
    for: { type: "string", says: `the host: ${hostNames.join(", ")}` },
    out: { type: "string", says: "where the files go; by default out-<host> beside the contract" },
    ...placeOptions,
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The folder is replaced as a whole. What the host would refuse or serve otherwise is an error here.",
    "Host files carry no signature: check what is served with  curtainwall verify <url>.",
  ],
  async run({ positionals: [folder = "."], flags, values }) {
    const host = values.get("for");
    if (!isHost(host))
      throw usageError(
        host === undefined
          ? "Name the host with --for"
          : `--for ${JSON.stringify(host)} is no host that it knows: ${hostNames.join(", ")}`,
        emitCommand,
        host === undefined ? undefined : nearest(host, hostNames),
      );
    const { contract, root } = await loadContract(folder);
    const release = await readCurrentRelease(stackFolders(root));
    if (release === undefined)
      throw new CurtainwallError("CLI_PART_MISSING", "There is no release to write files from.", {
        hint: `Build it first: npx curtainwall build ${folder}`,
      });
    const place = placeOf(values, emitCommand);
    const emission = emitHost(host, siteOfRelease(release.manifest, contract.origin), {
      nginx: place,
      caddy: place,
    });
    const out = resolve(values.get("out") ?? join(root, `out-${host}`));
    write(out, emission, release);
    const files = emission.files.length + emission.placements.length;
    if (flags.has("json")) printJson({ host, out, files, release: release.digest, notes: emission.notes });
    else {
      print(`${counted(files, "file")} for ${host} in ${out}`);
      for (const note of emission.notes) say(note);
    }
    return 0;
  },
};

const isHost = (name: string | undefined): name is HostName => hostNames.some((host) => host === name);

/** Writes everything beside the folder first, so that what was there stays until the new one is whole. */
function write(out: string, emission: Emission, release: Release): void {
  if (existsSync(out) && !statSync(out).isDirectory())
    throw usageError(`${out} is not a folder: name another --out`, emitCommand);
  if (existsSync(out) && readdirSync(out).length > 0 && !existsSync(join(out, marker)))
    throw usageError(
      `${out} holds something that this command did not make: name another --out`,
      emitCommand,
    );
  const fresh = freshFolder(resolve(out));
  try {
    const put = (path: string, data: string | Uint8Array): void => {
      mkdirSync(dirname(join(fresh, path)), { recursive: true });
      writeFileSync(join(fresh, path), data);
    };
    for (const { path, text } of emission.files) put(path, text);
    const files = new Map(release.manifest.files.map((file) => [file.path, file]));
    for (const { file, path, encoding } of emission.placements) {
      const variant = files.get(path)?.variants.find((one) => one.encoding === encoding);
      if (variant !== undefined)
        put(file, release.body.subarray(variant.offset, variant.offset + variant.length));
    }
    const formerBlobs = keepFormerBlobs(fresh, out, formerBlobsOf(out));
    put(marker, `${JSON.stringify({ host: emission.host, release: release.digest, formerBlobs })}\n`);
    replaceFolder(fresh, resolve(out));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** What of the folder that is there only the release before had. */
function formerBlobsOf(out: string): readonly string[] {
  const file = join(out, marker);
  if (!existsSync(file)) return [];
  const { formerBlobs } = JSON.parse(readFileSync(file, "utf8")) as { formerBlobs?: readonly string[] };
  return formerBlobs ?? [];
}
