import type { ContractRoute } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import type { AuditContext } from "../context.ts";
import type { AuditInput } from "../plan/plan.ts";
import type { Exchange, KeptConnection } from "../probes/probe.ts";

/** A call of a route with a token. */
export interface UsedCall {
  readonly route: ContractRoute;
  readonly input: AuditInput;
  readonly token: { readonly name: string; readonly value: string };
}

/** Connections over which a token was used while it was good. */
export interface UsedConnections {
  /** What it was answered there at first. */
  readonly answers: readonly Exchange[];
  /** Makes the same call again, over each of them. What was closed meanwhile answers nothing, and remembers nothing. */
  askAgain(): Promise<Exchange[]>;
  close(): void;
}

/** Where several processes answer, the first time may be the first that this one sees the token: it is known by its connection from the second on. */
const timesUsed = 2;

/**
 * Uses a token over a connection of its own for each protocol. Whoever remembers a connection's token, so as not to verify it anew with each request, has
 * to ask again each time whether it still counts, and new connections don't show that.
 */
export async function useOverConnections(context: AuditContext, call: UsedCall): Promise<UsedConnections> {
  const { caller, protocols, wire } = context;
  const open = new Set(protocols.map((protocol) => wire.connect(protocol, caller.freshClient())));
  const askOver = async (connection: KeptConnection): Promise<Exchange[]> => {
    const { protocol, client } = connection;
    const request = { ...(await caller.request(call)), protocol, over: connection };
    try {
      return [await caller.send(client === undefined ? request : { ...request, client })];
    } catch (error) {
      if (!isSilence(error)) throw error;
      open.delete(connection);
      connection.close();
      return [];
    }
  };
  const askOverEach = async (): Promise<Exchange[]> => (await Promise.all([...open].map(askOver))).flat();
  const answers = await askOverEach();
  for (let times = 1; times < timesUsed; times++) await askOverEach();
  return {
    answers,
    askAgain: askOverEach,
    close() {
      for (const connection of open) connection.close();
    },
  };
}

const isSilence = (error: unknown): boolean =>
  isCurtainwallError(error, "AUDIT_TARGET_UNREACHABLE") || isCurtainwallError(error, "AUDIT_ANSWER_INVALID");
