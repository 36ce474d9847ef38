import type { ElementContent } from "hast";
import { common, createLowlight } from "lowlight";

let lowlight: ReturnType<typeof createLowlight> | undefined;

/** The longest code that is highlighted, in characters: grammars are regular expressions, and their time is not bounded. */
const maxLength = 50_000;

/** Marks a piece of code up with `hljs-…` classes. Code in a language that is not known comes back as plain text. */
export function highlight(code: string, language: string): ElementContent[] {
  lowlight ??= createLowlight(common);
  if (code.length > maxLength || !lowlight.registered(language)) return [{ type: "text", value: code }];
  return lowlight.highlight(language, code).children as ElementContent[];
}
