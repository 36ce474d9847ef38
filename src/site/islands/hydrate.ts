import { h, hydrate } from "preact";
import type { ComponentType } from "preact";
import type { Fitted } from "../../contract/index.ts";

/**
 * Brings an island's places in the page to life. A place whose props are not what was declared stays what the build made of it:
 * somebody else wrote it.
 */
export function hydrateIslands(
  name: string,
  component: ComponentType<Record<string, unknown>>,
  fit: (data: unknown) => Fitted,
): void {
  for (const place of document.querySelectorAll(`[data-island="${name}"]`)) {
    const props = propsOf(place, fit);
    if (props === undefined) console.error(`The island ${name} has no props that it declares.`);
    else hydrate(h(component, props), place);
  }
}

function propsOf(place: Element, fit: (data: unknown) => Fitted): Record<string, unknown> | undefined {
  const data = place.nextElementSibling;
  if (!(data instanceof HTMLScriptElement) || data.type !== "application/json") return undefined;
  try {
    const fitted = fit(JSON.parse(data.text));
    return fitted.fault === undefined ? (fitted.value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
