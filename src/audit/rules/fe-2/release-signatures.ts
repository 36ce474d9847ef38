import { parseSignatures, publicKeyOf, signEnvelope } from "../../../contract/index.ts";
import type { Envelope, EnvelopeSigner, ReleaseSignatures } from "../../../contract/index.ts";
import { fromBase64, toBase64 } from "../../../shared/index.ts";
import type { Check } from "../../check.ts";
import { noRelease } from "../shared.ts";

/** Signatures that must not do, and in what way. */
interface Forgery {
  readonly what: string;
  readonly signatures: ReleaseSignatures;
}

const byItsSignature: ReadonlySet<string> = new Set([
  "RELEASE_SIGNATURE_INVALID",
  "RELEASE_SIGNATURE_MISSING",
]);

/** What browsers may run was signed, so what was not signed is not taken. */
export const foreignReleases: Check = {
  name: "a release that somebody else signed or changed is not taken",
  kind: "built",
  isSupporting: true,
  notApplicable: ({ release, releaseTrial }) =>
    release?.signatures === "" && releaseTrial === undefined
      ? "the release is not signed: what serves it is somebody else's"
      : undefined,
  run: async (context, tally) => {
    const { releaseTrial: trial } = context;
    if (context.release === undefined) return tally.miss(noRelease(context));
    const genuine = trial === undefined ? undefined : parseSignatures(trial.signatures);
    if (trial === undefined || genuine === undefined) return tally.miss("nobody takes releases in here");
    const refused = await trial.refusal(trial.signatures);
    if (refused !== undefined)
      return tally.miss(`the release is refused as it is, so that it shows nothing of others (${refused})`);
    for (const { what, signatures } of await forgeriesOf(genuine)) {
      const code = await trial.refusal(JSON.stringify(signatures));
      if (code !== undefined && !byItsSignature.has(code))
        tally.miss(`${what}: refused for something else (${code})`);
      else
        tally.expect(code !== undefined, {
          kind: "measurement",
          about: `the release, offered to what takes releases in, with ${what}`,
          value: code ?? "it is taken",
        });
    }
  },
};

async function forgeriesOf(genuine: ReleaseSignatures): Promise<Forgery[]> {
  const stranger = await makeStranger();
  const crossed = { release: genuine.program, program: genuine.release };
  const each = await Promise.all(
    (["release", "program"] as const).map(async (kind): Promise<Forgery[]> => {
      const { [kind]: envelope } = genuine;
      const withOther = (what: string, other: Envelope): Forgery => ({
        what: `${what} (${kind})`,
        signatures: { ...genuine, [kind]: other },
      });
      const document = new TextDecoder().decode(fromBase64(envelope.payload));
      return [
        withOther(
          "the first bit of a signature changed",
          resigned(envelope, (sig) => flipped(sig, 0)),
        ),
        withOther(
          "the last byte of a signature changed",
          resigned(envelope, (sig) => flipped(sig, sig.length - 1)),
        ),
        withOther(
          "a signature of nothing but zeros",
          resigned(envelope, (sig) => new Uint8Array(sig.length)),
        ),
        withOther("no signature", { ...envelope, signatures: [] }),
        withOther("one that signed something else", {
          ...envelope,
          signatures: crossed[kind].signatures,
        }),
        withOther("one of a key that it names itself", await signEnvelope(kind, document, stranger)),
        withOther("a document that was changed by a space", {
          ...envelope,
          payload: toBase64(new TextEncoder().encode(`${document} `)),
        }),
      ];
    }),
  );
  return each.flat();
}

const resigned = (envelope: Envelope, change: (sig: Uint8Array) => Uint8Array): Envelope => ({
  ...envelope,
  signatures: envelope.signatures.map(({ keyid, sig }) => ({
    keyid,
    sig: toBase64(change(fromBase64(sig) ?? new Uint8Array(64))),
  })),
});

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[index] = (changed[index] ?? 0) ^ 0x80;
  return changed;
}

async function makeStranger(): Promise<EnvelopeSigner> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const publicKey = publicKeyOf(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  if (publicKey === undefined) throw new Error("no Ed25519 here");
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, Uint8Array.from(message))),
  };
}
