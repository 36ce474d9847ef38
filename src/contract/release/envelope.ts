import { fromBase64, toBase64 } from "../../shared/index.ts";
import { verifyEd25519 } from "./public-key.ts";
import type { ReleasePublicKey } from "./public-key.ts";
import { isSshSignature, verifySshSignature } from "./ssh-signature.ts";

/** What an envelope holds: a program, a statement about a release, or what an audit found. A signature of the one is none of the others. */
export type EnvelopeKind = "program" | "release" | "proof";

/** A signed JSON document, in the form of DSSE. */
export interface Envelope {
  readonly payloadType: string;
  /** Base64 of the document. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** What can sign: a private key, or something that has one. */
export interface EnvelopeSigner {
  readonly publicKey: ReleasePublicKey;
  /** Signs these very bytes: bare (64 bytes), or as `ssh-keygen -Y sign` does in the namespace {@link sshNamespace}. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

const payloadTypes: Record<EnvelopeKind, string> = {
  program: "application/vnd.curtainwall.program+json",
  release: "application/vnd.curtainwall.release+json",
  // What other tools that read such statements expect.
  proof: "application/vnd.in-toto+json",
};

/** Namespace of SSH signatures of that kind. */
export const sshNamespace = (kind: EnvelopeKind): string => `curtainwall-${kind}`;

/** More signatures than this are not looked at. */
const maxSignatures = 8;

/**
 * Signs a document.
 *
 * @see DSSE, the Dead Simple Signing Envelope, version 1.0.2
 */
export async function signEnvelope(
  kind: EnvelopeKind,
  document: string,
  { publicKey, sign }: EnvelopeSigner,
): Promise<Envelope> {
  const payload = new TextEncoder().encode(document);
  const sig = toBase64(await sign(preAuthentication(payloadTypes[kind], payload)));
  return {
    payloadType: payloadTypes[kind],
    payload: toBase64(payload),
    signatures: [{ keyid: publicKey.text, sig }],
  };
}

/** Gives the document of an envelope, if this key signed it as that kind; else undefined. What it says of keys is not believed. */
export async function openEnvelope(
  kind: EnvelopeKind,
  envelope: unknown,
  key: ReleasePublicKey,
): Promise<string | undefined> {
  if (!isEnvelope(envelope) || envelope.payloadType !== payloadTypes[kind]) return undefined;
  const payload = fromBase64(envelope.payload);
  if (payload === undefined) return undefined;
  const message = preAuthentication(envelope.payloadType, payload);
  for (const { sig } of envelope.signatures.slice(0, maxSignatures)) {
    const signature = fromBase64(sig);
    if (signature !== undefined && (await verify(kind, key, signature, message)))
      return new TextDecoder().decode(payload);
  }
  return undefined;
}

function verify(
  kind: EnvelopeKind,
  key: ReleasePublicKey,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  return isSshSignature(signature)
    ? verifySshSignature(key, sshNamespace(kind), signature, message)
    : verifyEd25519(key, signature, message);
}

/** What is signed: the type and the document, each with its length, so that no two pairs give the same bytes. */
function preAuthentication(type: string, payload: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const message = new Uint8Array(head.length + payload.length);
  message.set(head);
  message.set(payload, head.length);
  return message;
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== "object" || value === null) return false;
  const { payloadType, payload, signatures } = value as Record<keyof Envelope, unknown>;
  return (
    typeof payloadType === "string" &&
    typeof payload === "string" &&
    Array.isArray(signatures) &&
    signatures.every((entry: unknown) => typeof (entry as { sig?: unknown } | null)?.sig === "string")
  );
}
