import { toHtml } from "hast-util-to-html";
import { highlight } from "./highlight.ts";

/** Marks a piece of code up, as HTML. */
export function writeCode(code: string, language: string): string {
  return toHtml({ type: "root", children: highlight(code, language) }, serialization);
}

/** How markup is written, everywhere. */
export const serialization = { characterReferences: { useNamedReferences: false } } as const;
