import type { DomainProcess } from "../processes/launch.ts";
import type { ToEdge } from "../processes/messages.ts";
import { readRevoked, revocationMessages, watchRevoked } from "../edge/revoked-tokens.ts";
import type { RevokedTokens } from "../edge/revoked-tokens.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** The list of tokens that were revoked. */
export interface KeptRevocations {
  /** Tells an edge that starts all of it. */
  tellAll(edge: DomainProcess<ToEdge>): void;
  /** Tells the edge what is added from now on; the result ends that. */
  watch(): () => void;
}

/**
 * Reads the list, and keeps it as it was if it is damaged later: what was revoked stays so.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when it is damaged at first
 */
export function keepRevocations(
  surroundings: Surroundings,
  edge: () => DomainProcess<ToEdge> | undefined,
): KeptRevocations {
  const { folders, events } = surroundings;
  let current = readRevoked(folders);

  const damaged = (message: string): void =>
    say(surroundings, "warning", `what was revoked last is not known: ${message}`);

  function added(now: RevokedTokens, fresh: RevokedTokens): void {
    current = now;
    const process = edge();
    if (process !== undefined) send(process, fresh);
    const subjects = Object.keys(fresh.subjects);
    const of = fresh.everyone > 0 ? "everyone" : "subjects";
    events({ type: "stack.tokens.revoked", time: Date.now(), of, subjects });
  }

  return {
    tellAll(process) {
      try {
        current = readRevoked(folders);
      } catch (error) {
        damaged((error as Error).message);
      }
      send(process, current);
    },
    watch: () => watchRevoked(folders, current, added, damaged),
  };
}

function send({ control }: DomainProcess<ToEdge>, revoked: RevokedTokens): void {
  for (const part of revocationMessages(revoked)) control.send({ type: "revocations", ...part });
}
