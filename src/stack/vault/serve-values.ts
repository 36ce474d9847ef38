import { Server } from "node:net";
import type { ContractSecret, EventSink } from "../../contract/index.ts";
import type { Vault } from "../../vault/index.ts";
import { countEvents } from "./count-events.ts";
import { openFrames } from "./frames.ts";
import type { FrameChannel } from "./frames.ts";
import type { ValueRequest, ValueResult, VaultAnswer, VaultChange } from "./protocol.ts";
import { refusal } from "./refusal.ts";

/** Options of {@link serveValues}. */
export interface ServeValuesOptions {
  readonly vault: Vault;
  /** The listening socket; only egress can connect to it. */
  readonly fd: number;
  /** Those that the contract declares: no others are given out. */
  readonly secrets: readonly Pick<ContractSecret, "name" | "purpose">[];
  readonly events: EventSink;
}

/** Gives values out. */
export interface ValueServer {
  /** Says that values of these names are not what they were. */
  changed(names: readonly string[]): void;
  close(): void;
}

type Channel = FrameChannel<ValueRequest, VaultAnswer | VaultChange>;

/** One egress; two for a moment, when one follows the other. */
const maxConnections = 8;

/** Gives egress the values that it asks for, as long as the contract declares them. Whoever asks for anything else is cut off. */
export function serveValues({ vault, fd, secrets, events }: ServeValuesOptions): ValueServer {
  const declared = new Map(secrets.map((secret) => [secret.name, secret]));
  const channels = new Set<Channel>();
  const report = countEvents(events);
  const server = new Server((socket) => {
    const channel: Channel = openFrames(socket);
    channels.add(channel);
    channel.onClose(() => channels.delete(channel));
    channel.onFrame(({ header }) => answer(channel, header));
  });
  server.maxConnections = maxConnections;
  server.listen({ fd });

  // What comes may be anything: egress parses what the internet sends.
  function answer(channel: Channel, { id, op, name }: Partial<Record<keyof ValueRequest, unknown>>): void {
    const wanted = typeof name === "string" ? name : "(no name)";
    const secret = op === "value" ? declared.get(wanted) : undefined;
    if (secret === undefined || typeof id !== "number" || !Number.isSafeInteger(id)) {
      report({ type: "vault.secret.denied", time: Date.now(), name: wanted, to: "egress" });
      return channel.close();
    }
    void sendValue(channel, id, secret).catch((error: unknown) =>
      channel.send({ id, ok: false, ...refusal(error) }),
    );
  }

  async function sendValue(
    channel: Channel,
    id: number,
    { name, purpose }: Pick<ContractSecret, "name" | "purpose">,
  ): Promise<void> {
    const current = vault.get(name);
    if (current === undefined) return channel.send({ id, ok: true });
    const { version, value } = current;
    const before = purpose === "webhook" ? versionBefore(name) : undefined;
    const previous = before === undefined ? undefined : vault.get(name, before);
    const bytes = Buffer.concat([value, previous?.value ?? new Uint8Array()]);
    const result: ValueResult = {
      version,
      valueBytes: value.length,
      previous: previous === undefined ? undefined : { version: previous.version },
    };
    report({ type: "vault.secret.read", time: Date.now(), name, version, to: "egress" });
    const sent = channel.send({ id, ok: true, result }, bytes);
    for (const copy of [value, previous?.value, bytes]) copy?.fill(0);
    await sent;
  }

  const versionBefore = (name: string): number | undefined =>
    vault.history(name).find(({ state }) => state === "previous")?.version;

  return {
    changed(names) {
      for (const channel of channels) void channel.send({ changed: names });
    },
    close() {
      server.close();
      for (const channel of channels) channel.close();
    },
  };
}
