import type { ContractRoute } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import type { HonestCall } from "../../inputs.ts";
import type { Exchange } from "../../probe.ts";
import { isSuccess } from "../shared.ts";

/** What only who is let in is told. */
export interface Told {
  /** The text that is planted in the object. */
  readonly canary: string | undefined;
  /** An honest request, as it was answered. */
  readonly control: Exchange | undefined;
}

/** `{"ok":1}` says something; `{}`, or nothing, is what refusals say too. */
const shortestAnswer = 8;

/** Whether a refusal holds all the same what only who is let in is told, whatever its status says. A canary that was asked for may be repeated. */
export function givesAway({ request, response }: Exchange, { canary, control }: Told): boolean {
  const text = response.text();
  const answer =
    control !== undefined && isSuccess(control.response.status) ? control.response.text().trim() : "";
  return (
    (answer.length >= shortestAnswer && text.includes(answer)) ||
    (canary !== undefined && text.includes(canary) && !request.path.includes(canary))
  );
}

/** What an honest caller is told. Nothing is written to find it out, and no stream is waited for. */
export async function toldTo(
  { caller }: AuditContext,
  route: ContractRoute,
  { as, input }: Pick<HonestCall, "as" | "input">,
): Promise<Told> {
  const isRead = route.method === "GET" && route.stream?.kind !== "events";
  return { canary: input.canary, control: isRead ? await caller.call({ route, as, input }) : undefined };
}

/** For a finding: why a refusal is one. */
export const saysAway = (isGivenAway: boolean): string =>
  isGivenAway ? "; its answer holds what only who is let in is told" : "";
