import { X509Certificate, createHash, createPrivateKey, randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import type { EdgeErrorCode } from "../errors.ts";

/** Options of {@link developmentCertificate}. */
export interface DevelopmentCertificateOptions {
  /** Where authority and certificate are kept. Made, with mode 0700, if it is missing. */
  readonly folder: string;
  /** Host names and IP addresses that the certificate is for. Default `localhost`, `127.0.0.1` and `::1`. */
  readonly hosts?: readonly string[];
  /** The present, in milliseconds. Default the clock's. */
  readonly now?: () => number;
}

/** A certificate for development, of an authority that nobody trusts until told to. */
export interface DevelopmentCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** The authority's certificate, PEM. */
  readonly ca: string;
  /** A file that holds {@link ca}: for `curl --cacert` and `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
  /** SHA-256 of the certificate's public key: for Chromium's `--ignore-certificate-errors-spki-list`. */
  readonly spkiSha256Base64: string;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;
const authorityDays = 3650;
const leafDays = 90;
const renewDays = 30;

/**
 * Gives a certificate for development: makes an authority in the folder once, and a certificate of it that is made anew when
 * its hosts change or 30 days before it ends. The authority is constrained to the hosts (all loopback hosts share one), so a
 * browser that was told to trust it can't be deceived about any other site. Safe to be called by several processes at once.
 *
 * @throws {CurtainwallError} `EDGE_OPTION_INVALID` for a host that is neither a name nor an address.
 */
export async function developmentCertificate(
  options: DevelopmentCertificateOptions,
): Promise<DevelopmentCertificate> {
  const { folder, now = Date.now } = options;
  const hosts = [...new Set(options.hosts ?? ["localhost", "127.0.0.1", "::1"])].map(parseHost).sort();
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const foreign = hosts.filter((host) => !isLoopback(host));
  const suffix = foreign.length === 0 ? "" : `-${shortHash(foreign.join())}`;
  const authority = await readOrMake(join(folder, `authority${suffix}.pem`), now(), async () =>
    (await import("./issue-certificate.ts")).issueAuthority({ foreign, now: now(), days: authorityDays }),
  );
  const caFile = join(folder, `ca${suffix}.crt`);
  if ((await readText(caFile)) !== authority.cert) await replaceFile(caFile, authority.cert, 0o644);
  const leafFile = join(folder, `leaf-${shortHash(hosts.join())}.pem`);
  let leaf = parsePair(await readText(leafFile));
  if (leaf === undefined || !isGoodLeaf(leaf, authority, now())) {
    const { issueLeaf } = await import("./issue-certificate.ts");
    leaf = await issueLeaf({ authority, hosts, now: now(), days: leafDays });
    await replaceFile(leafFile, leaf.key + leaf.cert, 0o600);
  }
  return { ...leaf, ca: authority.cert, caFile, spkiSha256Base64: spkiHash(leaf.cert) };
}

function parseHost(host: string): string {
  if (isIP(host) !== 0) return host;
  const name = host.toLowerCase();
  if (
    name.length <= 253 &&
    /^(?:[a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(name)
  ) {
    return name;
  }
  throw new CurtainwallError<EdgeErrorCode>(
    "EDGE_OPTION_INVALID",
    `A certificate can't be made for the host ${JSON.stringify(host)}.`,
    { hint: 'Give a name like "localhost" or an address like "127.0.0.1", without port or brackets.' },
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127\.[0-9.]+$/.test(host);
}

/** Reads the authority, or makes it: whoever is first wins, and the others take what is there. */
async function readOrMake(file: string, now: number, make: () => Promise<Pair>): Promise<Pair> {
  const text = await readText(file);
  const present = parsePair(text);
  if (present !== undefined && daysLeft(present.cert, now) > leafDays) return present;
  if (text !== undefined) await rm(file, { force: true });
  const made = await make();
  await writeOnce(file, made.key + made.cert, 0o600);
  const winner = parsePair(await readText(file));
  if (winner === undefined) throw new Error(`${file} was damaged while it was made`);
  return winner;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parsePair(text: string | undefined): Pair | undefined {
  const certAt = text?.indexOf("-----BEGIN CERTIFICATE-----") ?? -1;
  if (text === undefined || certAt < 0) return undefined;
  const pair = { key: text.slice(0, certAt), cert: text.slice(certAt) };
  return isPair(pair) ? pair : undefined;
}

function isPair({ cert, key }: Pair): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isGoodLeaf(leaf: Pair, authority: Pair, now: number): boolean {
  const issuer = new X509Certificate(authority.cert);
  return new X509Certificate(leaf.cert).verify(issuer.publicKey) && daysLeft(leaf.cert, now) > renewDays;
}

function daysLeft(cert: string, now: number): number {
  return (Date.parse(new X509Certificate(cert).validTo) - now) / dayMs;
}

function spkiHash(cert: string): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("base64");
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Writes a file whole or not at all, and not over one that is there. */
async function writeOnce(file: string, text: string, mode: number): Promise<void> {
  const draft = await writeDraft(file, text, mode);
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Writes a file whole or not at all, over one that is there. */
async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  await rename(await writeDraft(file, text, mode), file);
}

async function writeDraft(file: string, text: string, mode: number): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const handle = await open(draft, "wx", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // The mode given to open is cut by the umask.
  await chmod(draft, mode);
  return draft;
}
