// The library registers its parts through it, so it comes first.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isIP } from "node:net";

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const serverAuth = "1.3.6.1.5.5.7.3.1";
const nameConstraints = "2.5.29.30";

/** Makes an authority that may certify loopback hosts and the named ones, nothing else. */
export async function issueAuthority(options: {
  foreign: readonly string[];
  now: number;
  days: number;
}): Promise<Pair> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const permitted = [
    subtree(0x82, new TextEncoder().encode("localhost")),
    subtree(0x87, Uint8Array.of(127, 0, 0, 0, 255, 0, 0, 0)),
    subtree(0x87, addressWithMask("::1")),
    ...options.foreign.map((host) =>
      isIP(host) === 0 ? subtree(0x82, new TextEncoder().encode(host)) : subtree(0x87, addressWithMask(host)),
    ),
  ];
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=Curtainwall development authority",
    keys,
    ...validity(options),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      new Extension(nameConstraints, true, der(0x30, der(0xa0, ...permitted))),
    ],
  });
  return toPair(certificate, keys.privateKey);
}

/** Makes a certificate for the hosts. */
export async function issueLeaf(options: {
  authority: Pair;
  hosts: readonly string[];
  now: number;
  days: number;
}): Promise<Pair> {
  const { authority, hosts } = options;
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ["sign"],
  );
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    subject: "CN=Curtainwall development",
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...validity(options),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([serverAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return toPair(certificate, keys.privateKey);
}

/** From an hour ago on, since clocks differ. */
function validity({ now, days }: { now: number; days: number }): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + days * 86_400_000) };
}

async function toPair(certificate: X509Certificate, key: CryptoKey): Promise<Pair> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", key);
  return {
    cert: `${certificate.toString("pem").trim()}\n`,
    key: `${PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag).trim()}\n`,
  };
}

/** GeneralSubtree: its base alone (RFC 5280 §4.2.1.10). */
function subtree(tag: number, name: Uint8Array): Uint8Array {
  return der(0x30, der(tag, name));
}

function der(tag: number, ...contents: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const content of contents) {
    bytes.set(content, at);
    at += content.length;
  }
  return bytes;
}

/** An address and the mask that leaves it alone. */
function addressWithMask(address: string): Uint8Array {
  const bytes = isIP(address) === 4 ? address.split(".").map(Number) : ipv6Bytes(address);
  return Uint8Array.from([...bytes, ...bytes.map(() => 255)]);
}

function ipv6Bytes(address: string): number[] {
  const [head = "", tail = ""] = address.split("::", 2);
  const front = groupsOf(head);
  const back = groupsOf(tail);
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(part: string): number[] {
  return part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
}
