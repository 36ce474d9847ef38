import { inspectScript } from "../inspect/inspect-script.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";

/** Inline scripts remembered: sites repeat a few on every page. */
const maxRemembered = 2_000;
const remembered = new Map<string, ScriptFacts>();

/** Inspects an inline script; one whose hash was seen before is not read again. */
export function inspectInline(hash: string, text: string, asModule: boolean): ScriptFacts {
  const key = `${asModule ? "m" : "c"}${hash}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const facts = inspectScript(text, asModule);
  if (remembered.size >= maxRemembered) remembered.clear();
  remembered.set(key, facts);
  return facts;
}
