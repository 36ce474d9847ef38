import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openEnvelope, parsePublicKey, parseSignatures } from "../../contract/index.ts";
import type { ReleaseIndex, ReleasePublicKey } from "../../contract/index.ts";
import { verifyHost } from "../../release/index.ts";
import type { HostDifference, HostReport } from "../../release/index.ts";
import { createHostClient, openReleaseStore, readPackIndex } from "../../release/node.ts";
import { CurtainwallError, counted, isCurtainwallError } from "../../shared/index.ts";
import { findSiteKeys, loadContract, readSiteManifest, stackFolders } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { differingParts } from "./differing-parts.ts";
import { exitCodes, print, printJson, say, showProgress, styled } from "../voice.ts";

export const verifyCommand: Command = {
  name: "verify",
  usage: "<url> [folder] [--manifest <file>]",
  summary: "Compare what a host serves, every byte and every declared header, with what was released",
  options: {
    manifest: {
      type: "string",
      says: "a release, an exported manifest, or the curtainwall-site.json of a hardened folder; default: the folder's newest release",
    },
    key: {
      type: "string",
      says: "the release key that must have signed the manifest; default: the one that the contract in the folder pins",
    },
    ca: { type: "string", says: "a PEM file with the authority of the host's certificate" },
    concurrency: { type: "string", says: "requests at once, 1 to 64 (default 8)" },
    "every-encoding": {
      type: "boolean",
      says: "ask for each file uncompressed, in gzip, br and zstd, not only as browsers do",
    },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The manifest comes from a file here, never from the host. What the host compresses is decompressed first, bounded by the size that",
    "was released; redirects are followed on the host itself only. Undeclared headers count when they grant something: another origin",
    "access, a script its reach, a third party reports.",
    "Exit codes: 0 the host serves the release, 1 it does not or could not be asked, 2 misused.",
  ],
  async run(input) {
    const [address, folder = "."] = input.positionals;
    if (address === undefined) throw usageError("Name the host's address", verifyCommand);
    const origin = readOrigin(address);
    const { index, file, signedBy } = await findManifest(input, folder);
    const line = showProgress();
    const client = createHostClient({
      origin,
      ca: readAuthority(input, folder, origin),
      connections: readConcurrency(input),
    });
    try {
      const report = await verifyHost({
        manifest: index.manifest,
        origin,
        ask: client.ask,
        concurrency: readConcurrency(input),
        ...(input.flags.has("every-encoding") ? { encodings: ["identity", "gzip", "br", "zstd"] } : {}),
        onProgress: (done, total) => line.update(`${done}/${total}`),
      });
      line.done();
      return conclude(input, { ...report, origin, release: index.digest, manifest: file, signedBy });
    } finally {
      line.done();
      client.close();
    }
  },
};

function readOrigin(address: string): string {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageError(`"${address.slice(0, 80)}" is no address; it begins with https://`, verifyCommand);
  if (url.pathname !== "/" || url.search !== "")
    throw usageError("A release is served from the root of a host: leave the path away", verifyCommand);
  return url.origin;
}

function readConcurrency({ values }: CommandInput): number {
  const text = values.get("concurrency") ?? "8";
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 64) throw usageError("--concurrency takes a number from 1 to 64", verifyCommand);
  return count;
}

interface TrustedManifest {
  index: ReleaseIndex;
  file: string;
  /** Undefined: nobody checked a signature, the file itself is what is trusted. */
  signedBy: string | undefined;
}

async function findManifest({ values }: CommandInput, folder: string): Promise<TrustedManifest> {
  const given = manifestFile(values.get("manifest"));
  const key = readKey(values.get("key"));
  const site = given === undefined || key !== undefined ? undefined : readSiteManifest(given);
  if (given !== undefined && site !== undefined)
    return { index: { ...site, signatures: "" }, file: given, signedBy: undefined };
  if (given !== undefined) {
    const index = await readPackIndex(given);
    const pinned = key ?? (await pinnedIn(folder));
    const signedBy =
      pinned === undefined ? undefined : await assertSigned(index.digest, index.signatures, pinned);
    return { index, file: given, signedBy };
  }
  const { contract, root } = await loadContract(folder);
  const folders = stackFolders(root);
  const current = openReleaseStore(folders.releases).current();
  if (current === undefined) {
    throw new CurtainwallError("RELEASE_UNKNOWN", "There is no release here to compare with.", {
      hint: "Name one:  --manifest <file>   It comes from  npx curtainwall release export <name> <file> --manifest",
    });
  }
  const pinned = key ?? (await findSiteKeys(contract, folders)).pinned.release;
  const signedBy = await assertSigned(current.digest, current.signatures, pinned);
  return { index: await readPackIndex(current.packFile), file: current.packFile, signedBy };
}

/** A hardened folder stands for what it declares of itself. */
function manifestFile(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (/^https?:/i.test(given))
    throw usageError("The manifest must be a file: one from the network proves nothing", verifyCommand);
  if (!isFolder(given)) return given;
  const declared = join(given, "curtainwall-site.json");
  if (existsSync(declared)) return declared;
  throw usageError(
    `${given} is a folder without a curtainwall-site.json: name the manifest's file`,
    verifyCommand,
  );
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The release key that the contract in a folder pins; undefined where there is no contract, or one without keys. */
async function pinnedIn(folder: string): Promise<ReleasePublicKey | undefined> {
  try {
    return (await loadContract(folder)).contract.keys?.release;
  } catch (error) {
    if (isCurtainwallError(error, "STACK_CONFIG_MISSING")) return undefined;
    throw error;
  }
}

function readKey(text: string | undefined): ReleasePublicKey | undefined {
  const key = text === undefined ? undefined : parsePublicKey(text);
  if (text !== undefined && key === undefined)
    throw usageError("--key takes a public key, like  ed25519:…", verifyCommand);
  return key;
}

async function assertSigned(digest: string, signatures: string, key: ReleasePublicKey): Promise<string> {
  const signed = await openEnvelope("release", parseSignatures(signatures)?.release, key);
  const named = signed === undefined ? undefined : (JSON.parse(signed) as { digest?: unknown }).digest;
  if (named === digest) return key.text;
  throw new CurtainwallError(
    "RELEASE_SIGNATURE_INVALID",
    `The manifest was not signed with the release key ${key.text}.`,
    {
      hint: "Export it again where it was published:  npx curtainwall release export <name> <file> --manifest",
    },
  );
}

/** A site under development is shown with its own authority. */
function readAuthority({ values }: CommandInput, folder: string, origin: string): string | undefined {
  const given = values.get("ca");
  const isLocal = /^(?:localhost|127\.0\.0\.1|\[::1\]|.*\.localhost)$/.test(new URL(origin).hostname);
  const own = join(stackFolders(folder).authority, "ca.crt");
  const file = given ?? (isLocal && existsSync(own) ? own : undefined);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw usageError(`${file} can't be read: ${(cause as NodeJS.ErrnoException).code}`, verifyCommand);
  }
}

interface Conclusion extends HostReport {
  origin: string;
  release: string;
  manifest: string;
  signedBy: string | undefined;
}

function conclude({ flags }: CommandInput, report: Conclusion): number {
  const { origin, release, checked, requests, differences, signedBy } = report;
  const isDeaf = differences.length > 0 && differences.every(({ what }) => what === "unreachable");
  if (flags.has("json")) printJson({ ...report, signedBy: signedBy ?? null });
  else if (!isDeaf) for (const difference of differences) print(describe(difference));
  const name = `release ${release.slice(0, 12)}`;
  const trust =
    signedBy === undefined
      ? "manifest taken as it is, no signature checked"
      : `manifest signed by ${signedBy}`;
  if (isDeaf) sayUnanswered(origin, differences[0]?.actual ?? "");
  else if (differences.length === 0)
    say(
      `${styled("green", "unchanged")} ${origin} serves ${name}: ${checked} of ${checked} as released (${counted(requests, "request")}; ${trust})`,
    );
  else {
    const paths = new Set(differences.map(({ path }) => path));
    say(
      `${styled("red", "changed")} ${origin} does not serve ${name}: ${counted(differences.length, "difference")} in ${paths.size} of ${checked} (${trust})`,
    );
  }
  return differences.length === 0 ? exitCodes.done : exitCodes.failed;
}

/** What Node calls a certificate that no known authority signed. */
const unknownAuthority =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?))$/;

function sayUnanswered(origin: string, why: string): void {
  if (!unknownAuthority.test(why))
    return say(`${styled("red", "not compared")} ${origin} did not answer: ${why}`);
  say(
    `${styled("red", "not compared")} the certificate of ${origin} is from no authority that is known here (${why})`,
  );
  say(`${styled("dim", "→")} If it is from one of your own, name that:  --ca <file.pem>`);
}

/** One line; what the host sent is quoted, so that it can't drive the terminal. */
function describe(difference: HostDifference): string {
  const { path, what } = difference;
  const name = "name" in difference ? ` ${difference.name}` : "";
  const permits =
    "permits" in difference && difference.permits !== undefined
      ? `; permits ${difference.permits.join(", ")}`
      : "";
  const [expected, actual] =
    difference.expected === undefined || difference.actual === undefined
      ? [difference.expected, difference.actual]
      : differingParts(name.trim(), difference.expected, difference.actual);
  const words = [
    ...(expected === undefined ? [] : [` released ${expected === "" ? "nothing" : quote(expected)}`]),
    ...(actual === undefined ? [] : [` served ${actual === "" ? "nothing" : quote(actual)}`]),
  ];
  return `${quotePath(path)}  ${what}${name}${words.length === 0 ? "" : `:${words.join(",")}`}${permits}`;
}

const quote = (text: string): string =>
  JSON.stringify(text.length > 125 ? `${text.slice(0, 120)}…` : text).replaceAll(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
const quotePath = (path: string): string => (/[^!-~\u00a0-\uffff]/.test(path) ? quote(path) : path);
