import type { AuditContext } from "../context.ts";
import { honestCalls } from "./inputs.ts";
import type { UsedToken } from "./tokens.ts";
import { useOverConnections } from "./used-connections.ts";

/**
 * Uses a token that is about to expire, over each protocol, for something that only reads. Undefined where the plan has nothing for it to read.
 */
export async function useExpiring(
  context: AuditContext,
  name: string,
  value: string,
): Promise<UsedToken | undefined> {
  for (const route of context.declaredRoutes) {
    if (route.method !== "GET" || route.access.kind === "everyone" || route.stream !== undefined) continue;
    const honest = honestCalls(context, route).find(({ as }) => as === name);
    if (honest === undefined) continue;
    const { input } = honest;
    const token = { name: `token of ${name} that is about to expire`, value };
    const connections = await useOverConnections(context, { route, input, token });
    const control = connections.answers.find(({ response: { status } }) => status >= 200 && status < 300);
    return {
      isTaken: control !== undefined,
      close: connections.close,
      async askAgain() {
        const exchanges = await connections.askAgain();
        return exchanges.map((exchange) => ({ exchange, told: { canary: input.canary, control, route } }));
      },
    };
  }
  return undefined;
}
