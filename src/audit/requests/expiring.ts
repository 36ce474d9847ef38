import type { AuditContext } from "../context.ts";
import { honestCalls } from "./inputs.ts";

/**
 * Uses a token that is about to expire, over each protocol, for something that only reads. Tells whether it was taken; undefined where the plan has
 * nothing for it to read.
 */
export async function takenOnce(
  context: AuditContext,
  name: string,
  value: string,
): Promise<boolean | undefined> {
  for (const route of context.declaredRoutes) {
    if (route.method !== "GET" || route.access.kind === "everyone" || route.stream !== undefined) continue;
    const honest = honestCalls(context, route).find(({ as }) => as === name);
    if (honest === undefined) continue;
    const token = { name: `token of ${name} that is about to expire`, value };
    const answers = await Promise.all(
      context.protocols.map((protocol) =>
        context.caller.call({ route, input: honest.input, token, protocol }),
      ),
    );
    return answers.some(({ response: { status } }) => status >= 200 && status < 300);
  }
  return undefined;
}
