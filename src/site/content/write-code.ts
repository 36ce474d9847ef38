import { toHtml } from "hast-util-to-html";
import { highlight } from "./highlight.ts";
import { serialization } from "./serialization.ts";

/** Marks a piece of code up, as HTML. */
export function writeCode(code: string, language: string): string {
  return toHtml({ type: "root", children: highlight(code, language) }, serialization);
}
