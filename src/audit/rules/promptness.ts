import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { pagePath } from "./shared.ts";

/** What an honest request may take where time says anything, in milliseconds. */
const promptMs = 2000;
const tries = 3;

/**
 * Says so if the target is too slow to be judged by time: an honest request is answered slowly too, or not at all. Asked several times, since a
 * busy machine has its moments; what runs late here counts as well. Undefined: it is prompt.
 */
export async function slownessOf(context: AuditContext): Promise<string | undefined> {
  for (let count = 0; count < tries; count++) {
    const startedAt = context.now();
    try {
      const { status } = await context.wire.send({ method: "GET", path: pagePath(context) });
      await context.sleep(100);
      const seconds = ((context.now() - startedAt) / 1000).toFixed(1);
      if (context.now() - startedAt > promptMs || status >= 500)
        return `so slow is the target, or this machine, that an honest request was answered ${status} in ${seconds} s`;
    } catch (error) {
      return `an honest request was not answered either (${reasonOf(error)})`;
    }
  }
  return undefined;
}
