import { CurtainwallError } from "../../shared/index.ts";
import type { Frame, FrameChannel } from "./frames.ts";
import type { VaultAnswer, VaultChange } from "./protocol.ts";

type Unnumbered<Request> = Request extends { readonly id: number } ? Omit<Request, "id"> : never;

/** Asks over a channel, and matches answers to what was asked. */
export interface Asker<Request> {
  /** Resolves with the answer's result and bytes. @throws {CurtainwallError} what the vault says; `STACK_VAULT_GONE` */
  ask(request: Unnumbered<Request>, bytes?: Uint8Array): Promise<{ result: unknown; bytes: Buffer }>;
}

interface Pending {
  resolve(answer: { result: unknown; bytes: Buffer }): void;
  reject(error: Error): void;
}

/** Opens one side of a conversation with the vault. */
export function openAsker<Request extends { readonly id: number }>(
  channel: FrameChannel<VaultAnswer | VaultChange, Request>,
  onChange: (names: readonly string[]) => void = () => undefined,
): Asker<Request> {
  const pending = new Map<number, Pending>();
  let last = 0;
  let isGone = false;
  channel.onFrame(({ header, bytes }: Frame<VaultAnswer | VaultChange>) => {
    if ("changed" in header) return onChange(header.changed);
    const asked = pending.get(header.id);
    pending.delete(header.id);
    if (header.ok) return asked?.resolve({ result: header.result, bytes });
    const { code, message, hint } = header;
    asked?.reject(new CurtainwallError(code, message, hint === undefined ? {} : { hint }));
  });
  channel.onClose(() => {
    isGone = true;
    for (const { reject } of pending.values()) reject(vaultGone());
    pending.clear();
  });
  return {
    ask(request, bytes) {
      if (isGone) return Promise.reject(vaultGone());
      const id = ++last;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject });
        void channel.send({ id, ...request } as unknown as Request, bytes);
      });
    },
  };
}

/** There is no vault, or none that can be opened. */
export function vaultGone(): CurtainwallError {
  return new CurtainwallError("STACK_VAULT_GONE", "The vault ended before it answered.", {
    hint: "What it acknowledged is on disk. Look at what there is:  npx curtainwall secret list",
  });
}
