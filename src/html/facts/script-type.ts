import type { ScriptFact } from "./page-facts.ts";

/** https://mimesniff.spec.whatwg.org/#javascript-mime-type */
const javascriptTypes = new Set([
  "application/ecmascript",
  "application/javascript",
  "application/x-ecmascript",
  "application/x-javascript",
  "text/ecmascript",
  "text/javascript",
  "text/javascript1.0",
  "text/javascript1.1",
  "text/javascript1.2",
  "text/javascript1.3",
  "text/javascript1.4",
  "text/javascript1.5",
  "text/jscript",
  "text/livescript",
  "text/x-ecmascript",
  "text/x-javascript",
]);

/**
 * What a browser does with a script of this `type` and `language`.
 *
 * @see https://html.spec.whatwg.org/multipage/scripting.html#prepare-the-script-element (step 8 and following)
 */
export function scriptType(type: string | undefined, language: string | undefined): ScriptFact["type"] {
  if (type === undefined) {
    if (language === undefined || language === "") return "classic";
    return javascriptTypes.has(`text/${language.toLowerCase()}`) ? "classic" : "data";
  }
  if (type === "") return "classic";
  const trimmed = type.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase();
  if (javascriptTypes.has(trimmed)) return "classic";
  return trimmed === "module" || trimmed === "importmap" || trimmed === "speculationrules" ? trimmed : "data";
}
