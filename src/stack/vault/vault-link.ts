import { connect } from "node:net";
import { Secret } from "../../shared/index.ts";
import { openAsker, vaultGone } from "./asker.ts";
import type { Asker } from "./asker.ts";
import { openFrames } from "./frames.ts";
import type { ValueRequest, ValueResult, VaultAnswer, VaultChange } from "./protocol.ts";

/** A value, and which one it is. */
export interface SecretVersion {
  readonly version: number;
  readonly value: Secret;
}

/** What {@link VaultLink.get} gives. */
export interface CurrentSecret extends SecretVersion {
  /** The version before it, of a secret that checks webhooks: its sender may still sign with that one. */
  readonly previous: SecretVersion | undefined;
}

/** The values that egress works with, where they come from. */
export interface VaultLink {
  /**
   * The current value; undefined when there is none yet, or all are revoked. Waits for a vault that is started again.
   *
   * @throws {CurtainwallError} `STACK_VAULT_GONE` when there is no vault for longer than that; what the vault says
   */
  get(name: string): Promise<CurrentSecret | undefined>;
  /** Calls when values changed, with their names; with those of all that were asked for when the vault was away and may have missed some. */
  onChange(listener: (names: readonly string[]) => void): void;
  close(): void;
}

/** How often a question is asked again of a vault that ended over it, and how long between. */
const attempts = 6;
const firstDelayMs = 50;
/** A vault that can't be opened leaves who asks waiting in its socket, which outlives it. */
const longestWaitMs = 4000;

/** Connects to the vault's socket when a value is first asked for, and again when the vault was started again. */
export function openVaultLink(path: string): VaultLink {
  let open: Asker<ValueRequest> | undefined;
  let end: () => void = () => undefined;
  let isClosed = false;
  let onChange: (names: readonly string[]) => void = () => undefined;
  const asked = new Set<string>();

  function asker(): Asker<ValueRequest> {
    if (open !== undefined) return open;
    const channel = openFrames<VaultAnswer | VaultChange, ValueRequest>(connect({ path }));
    const mine = openAsker<ValueRequest>(channel, (names) => onChange(names));
    channel.onClose(() => {
      if (open === mine) open = undefined;
      if (!isClosed && asked.size > 0) onChange([...asked]);
    });
    end = () => channel.close();
    return (open = mine);
  }

  async function ask(name: string, attempt: number): Promise<CurrentSecret | undefined> {
    try {
      const { result, bytes } = await asker().ask({ op: "value", name });
      return read(result as ValueResult | undefined, bytes);
    } catch (error) {
      const isGone = (error as { code?: string }).code === "STACK_VAULT_GONE";
      if (!isGone || isClosed || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, firstDelayMs * 2 ** attempt));
      return ask(name, attempt + 1);
    }
  }

  return {
    get(name) {
      asked.add(name);
      return withinWait(ask(name, 0));
    },
    onChange: (listener) => void (onChange = listener),
    close() {
      isClosed = true;
      end();
    },
  };
}

async function withinWait<Value>(asked: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(vaultGone()), longestWaitMs);
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function read(result: ValueResult | undefined, bytes: Buffer): CurrentSecret | undefined {
  if (result === undefined) return undefined;
  const { version, valueBytes, previous } = result;
  const value = new Secret(bytes.toString("utf8", 0, valueBytes));
  const before =
    previous === undefined
      ? undefined
      : { version: previous.version, value: new Secret(bytes.toString("utf8", valueBytes)) };
  bytes.fill(0);
  return { version, value, previous: before };
}
