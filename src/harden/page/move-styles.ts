import type { DocumentDraft } from "./draft.ts";
import { hashSource } from "./draft.ts";
import type { StyleFacts } from "../inspect/inspect-style.ts";

const marker = "data-curtainwall-style";

/**
 * More ids than any selector has: rules with this in their selector win over all other rules without `!important`, as a `style=`
 * does, and lose to those with it, as a `style=` does. `:not()` counts as its argument (Selectors 4 §17), and no element has that id.
 */
const heavy = `:not(${"#curtainwall-none".repeat(10)})`;

/** Declarations of which one can see that they end where the attribute ends: no escape, no brace, no comment, no open string. */
const plain =
  /^(?:[\w\s:;,.%#!+*-]|\/(?!\*)|\((?:[\w\s:,.%#+-]|\/(?!\*)|"[^"\\{}<>\n]*"|'[^'\\{}<>\n]*')*\)|"[^"\\{}<>\n]*"|'[^'\\{}<>\n]*')*$/;

/**
 * Turns the `style=` attributes of a document into rules of a stylesheet, if that is exact: then no `'unsafe-hashes'` is needed.
 * It is exact when nothing can tell: no script runs that could read or change them, no selector looks at them, every stylesheet is
 * known, and no shadow tree keeps rules out. Returns false, with nothing done, when it is not.
 *
 * @see CSS Cascade 5 §6.1 (a style attribute wins over rules of the same origin and importance, layered or not)
 */
export function moveStyleAttributes(draft: DocumentDraft, sheets: readonly StyleFacts[]): boolean {
  const { page, facts } = draft;
  if (!isExact(draft, sheets)) return false;
  const names = new Map<string, string>();
  for (const { value, span, duplicates } of facts.styleAttributes) {
    const name = names.get(value) ?? String(names.size + 1);
    names.set(value, name);
    draft.edits.push({ span, replacement: ` ${marker}="${name}"` });
    for (const duplicate of duplicates ?? []) draft.edits.push({ span: duplicate, replacement: "" });
  }
  const rules = [...names].map(([value, name]) => `[${marker}="${name}"]${heavy}{${value}}`).join("\n");
  draft.headEnd.push(`<style>${rules}</style>`);
  page.policy.allow("style-src", hashSource(page.view.hash(rules)));
  return true;
}

function isExact({ page, facts, addresses }: DocumentDraft, sheets: readonly StyleFacts[]): boolean {
  if (page.syntax === "xml") return false;
  if (page.runsScripts || page.behaviours.size > 0) return false;
  if (sheets.some(({ selectsStyleAttribute }) => selectsStyleAttribute)) return false;
  const unread = facts.resources.some(
    ({ kind, address }) => kind === "style" && addresses.resolve(address)?.kind !== "site",
  );
  if (unread || facts.shadowRoots) return false;
  const layered = sheets.some((sheet) => sheet.layered);
  return facts.styleAttributes.every(
    ({ value, element }) =>
      plain.test(value) &&
      !value.includes("<") &&
      !(layered && value.includes("!")) &&
      element !== "template",
  );
}
