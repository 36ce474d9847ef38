import type { Duplex } from "node:stream";
import { Secret } from "../../shared/index.ts";
import type { ImportPlan, SigningPurpose, Vault } from "../../vault/index.ts";
import { fingerprintValues } from "./fingerprint-values.ts";
import { openFrames } from "./frames.ts";
import type { AdminRequest, ImportView, VaultAnswer } from "./protocol.ts";
import type { OpenStore } from "./open-store.ts";
import { refusal } from "./refusal.ts";

/** What a request's answer is made of. */
interface Done {
  readonly result?: unknown;
  readonly bytes?: Uint8Array;
}

/** Answers whoever started this process: one request after the other, each on disk before it is answered. */
export function serveAdmin({ vault, nextKey }: Pick<OpenStore, "vault" | "nextKey">, socket: Duplex): void {
  const channel = openFrames<AdminRequest, VaultAnswer>(socket);
  const imports = planImports(vault);
  let turn = Promise.resolve();
  channel.onFrame(({ header, bytes }) => {
    turn = turn.then(async () => {
      const { id } = header;
      try {
        const { result, bytes: answer } =
          header.op === "rewrap"
            ? await rewrap({ vault, nextKey }, header.by)
            : await perform(vault, imports, header, bytes);
        await channel.send({ id, ok: true, result }, answer);
      } catch (error) {
        await channel.send({ id, ok: false, ...refusal(error) });
      } finally {
        bytes.fill(0);
      }
    });
  });
}

async function perform(
  vault: Vault,
  imports: Imports,
  request: Exclude<AdminRequest, { op: "rewrap" }>,
  bytes: Buffer,
): Promise<Done> {
  switch (request.op) {
    case "set":
      return { result: await vault.set(request.name, bytes, request.by) };
    case "list":
      return { result: vault.list() };
    case "history":
      return { result: vault.history(request.name) };
    case "revoke":
      return { result: await vault.revoke(request.name, request.version, request.by) };
    case "export":
      return { bytes: await vault.export(request.recipients) };
    case "import":
      return { result: await imports.plan(bytes, request.identity, request.insecureAllowOther) };
    case "import-apply":
      return { result: await imports.apply(request.by) };
    case "fingerprints":
      return { bytes: Buffer.from(JSON.stringify(fingerprintValues(vault))) };
    case "sign":
      return { bytes: await vault.signingKey(request.purpose).sign(bytes) };
    case "public-key":
      return publicKey(vault, request.purpose);
    case "import-key":
      vault.importSigningKey(request.purpose, bytes, request.by);
      return publicKey(vault, request.purpose);
  }
}

/** A running stack's vault looks five times a second whether somebody wrote. */
const handOverMs = 3000;

async function rewrap({ vault, nextKey }: Pick<OpenStore, "vault" | "nextKey">, by: string): Promise<Done> {
  if (nextKey === undefined) throw new Error("no key to change to");
  return { result: await vault.rewrap(nextKey, by, { handOverMs }) };
}

const publicKey = (vault: Vault, purpose: SigningPurpose): Done => ({
  result: vault.signingKey(purpose).publicKey.text,
});

/** An import is told of first and done afterwards, by the same process: nothing can come between. */
interface Imports {
  plan(bytes: Buffer, identity: string, insecureAllowOther: string | undefined): Promise<ImportView>;
  apply(by: string): Promise<unknown>;
}

function planImports(vault: Vault): Imports {
  let planned: ImportPlan | undefined;
  return {
    async plan(bytes, identity, insecureAllowOther) {
      planned?.discard();
      planned = await vault.import(
        bytes,
        new Secret(identity),
        insecureAllowOther === undefined ? {} : { insecureAllowOther },
      );
      const { project, environment, exportedMs, changes } = planned;
      return { project, environment, exportedMs, changes };
    },
    async apply(by) {
      const mine = planned;
      planned = undefined;
      return (await mine?.apply(by)) ?? [];
    },
  };
}
