import type { AttributeFact } from "../../html/index.ts";
import { tellWorkers } from "./allow-workers.ts";
import type { DocumentDraft } from "./draft.ts";
import { hashSource } from "./draft.ts";
import { inspectInline } from "./inline-cache.ts";
import { parseScript } from "../inspect/script-syntax.ts";

const marker = "data-curtainwall-run";
const linkNames = new Set(["href", "xlink:href"]);

/**
 * Rewrites `javascript:` addresses, which no policy can allow one by one. A link becomes a link to nowhere, and its code a function
 * of an inline script that runs after the click's own handlers, as a browser does it; elsewhere the address is neutralised.
 *
 * Not exact: `var` and functions in the code stay inside it, a result that is a text does not replace the page, and a handler that
 * stops the click on its way up stops the code.
 */
export function rewriteScriptUrls(draft: DocumentDraft): void {
  const { page, facts } = draft;
  if (facts.scriptUrls.length === 0) return;
  const names = new Map<string, string>();
  for (const attribute of facts.scriptUrls) {
    const code = codeOf(attribute.value);
    page.scripts.push({ kind: "javascript-url", hash: page.view.hash(code), text: code });
    const replacement =
      page.syntax === "html" && isLink(attribute) && canMove(code) ? move(attribute, code, names) : undefined;
    draft.edits.push({ span: attribute.span, replacement: replacement ?? neutral(attribute) });
    for (const duplicate of attribute.duplicates ?? [])
      draft.edits.push({ span: duplicate, replacement: "" });
    if (replacement === undefined) page.count.scriptUrlsNeutralised++;
    else page.count.scriptUrlsRewritten++;
  }
  if (names.size > 0) addRunner(draft, names);
}

/** What stands after `javascript:`, as a browser would run it (HTML §7.4.2.3.2). */
function codeOf(value: string): string {
  const stripped = value.replaceAll(/[\t\n\r]/g, "");
  const encoded = stripped.slice(stripped.indexOf(":") + 1);
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

const isLink = ({ element, name }: AttributeFact): boolean =>
  linkNames.has(name) && (element === "a" || element === "area");

/** It must be a whole script by itself and a function's body too, and must not end the script element it is put into. */
function canMove(code: string): boolean {
  if (/<\/script|<!--|-->/i.test(code)) return false;
  return (
    parseScript(code, false)?.["sourceType"] === "script" &&
    parseScript(`(function(){${code}\n})`, false)?.["sourceType"] === "script"
  );
}

function move({ name }: AttributeFact, code: string, names: Map<string, string>): string {
  const number = names.get(code) ?? String(names.size + 1);
  names.set(code, number);
  return ` ${name}="#" ${marker}="${number}"`;
}

function neutral({ element, name }: AttributeFact): string {
  if (element === "iframe" || element === "frame") return ` ${name}="about:blank"`;
  return linkNames.has(name) && (element === "a" || element === "area") ? ` ${name}="#"` : "";
}

function addRunner(draft: DocumentDraft, names: ReadonlyMap<string, string>): void {
  const { page } = draft;
  const functions = [...names].map(([code, number]) => `${number}(){${code}\n}`).join(",");
  const text = `addEventListener("click",event=>{const link=event.target instanceof Element&&event.target.closest("[${marker}]");if(!link||event.defaultPrevented)return;event.preventDefault();if(!event.ctrlKey&&!event.metaKey&&!event.shiftKey)setTimeout(run[link.getAttribute("${marker}")])});const run={${functions}}`;
  const script = `{${text}}`;
  const hash = page.view.hash(script);
  draft.headStart.push(`<script>${script}</script>`);
  page.policy.allow("script-src", hashSource(hash));
  const behaviour = inspectInline(hash, script, false);
  page.behaviours.add(behaviour);
  tellWorkers(draft, behaviour, draft.addresses.base);
}
