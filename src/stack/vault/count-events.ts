import type { EventSink, SecurityEvent } from "../../contract/index.ts";

/** Events that count how often they happened. */
type Counted = Extract<SecurityEvent, { type: "vault.secret.read" | "vault.secret.denied" }>;

/** How long the same thing is counted before it is said again. */
const windowMs = 1000;
/** Names that were refused and are counted at once; whatever else is refused in that second is one line. */
const maxRefused = 200;

/**
 * Says the first of a kind of event at once, and how many followed when a second is over: whoever may cause them without end can't fill
 * the log. What is given out is always told by its name: no more of them than the contract declares.
 */
export function countEvents(send: EventSink): (event: Counted) => void {
  const counts = new Map<string, { event: Counted; more: number }>();
  return (event) => {
    const isMadeUp = event.type === "vault.secret.denied";
    const kind = isMadeUp && counts.size >= maxRefused ? event.type : keyOf(event);
    const counted = counts.get(kind);
    if (counted !== undefined) return void counted.more++;
    counts.set(kind, { event, more: 0 });
    send({ ...event, count: 1 });
    setTimeout(() => {
      const more = counts.get(kind)?.more ?? 0;
      counts.delete(kind);
      if (more > 0) send({ ...event, time: Date.now(), count: more });
    }, windowMs).unref();
  };
}

const keyOf = ({ type, name, ...rest }: Counted): string =>
  JSON.stringify([type, name, "version" in rest ? rest.version : undefined]);
