import type { AuditContext } from "../context.ts";
import { honestCalls } from "../requests/inputs.ts";

const woken = new WeakMap<AuditContext, Promise<void>>();

/** Calls each function honestly, once an audit: what is to be looked at are processes that run, and secrets that are in use. */
export function wakeFunctions(context: AuditContext): Promise<void> {
  const waking = woken.get(context) ?? wake(context);
  woken.set(context, waking);
  return waking;
}

async function wake(context: AuditContext): Promise<void> {
  const { functions, routes } = context.contract;
  const isAwake = new Set<string>();
  for (const route of routes) {
    const [honest] =
      functions.has(route.to.replace(/^fn:/, "")) && !isAwake.has(route.to)
        ? honestCalls(context, route)
        : [];
    if (honest === undefined) continue;
    // What it answers is other checks' business, and so is that it does not.
    await context.caller.call({ route, ...honest }).catch(() => undefined);
    isAwake.add(route.to);
  }
}
