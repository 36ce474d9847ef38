/** `j.src = "https://…"`, `s.setAttribute("src", "//…")`. */
const assigned =
  /\bsrc["'`]?\s{0,20}[=,]\s{0,20}[^;\n]{0,120}?["'`]((?:https?:)?\/\/[a-z0-9][^"'`\s\\<>]{2,300})/gi;
/** What loaders are handed: `(window, document, "script", "https://…/analytics.js")`. */
const files = /["'`]((?:https?:)?\/\/[a-z0-9][^"'`\s\\<>]{2,300})["'`]/gi;
const isFile = /\.m?js(?:[?#]|$)/i;
/** `var u = "//stats.example/"; … g.src = u + "matomo.js"`. */
const named =
  /\b([a-z_$][\w$]{0,60})\s{0,20}=\s{0,20}["'`]((?:https?:)?\/\/[a-z0-9][^"'`\s\\<>]{2,300})["'`]/gi;
/** Without one of these a script adds nothing to its page. */
const adding = /\bcreateElement\b|\bnew Image\b|\binnerHTML\b|\bwrite\s*\(/;

/**
 * Finds the addresses of other sites from which a script seems to add scripts, pictures or frames to its page. Their policies block
 * that, so somebody has to be told. It looks at the text alone: an address in a comment counts, one that is put together does not.
 */
export function findAddedAddresses(source: string): readonly string[] {
  if (!source.includes("//") || !adding.test(source)) return [];
  const found = new Set<string>();
  for (const [, url = ""] of source.matchAll(assigned)) found.add(url);
  for (const [, url = ""] of source.matchAll(files)) if (isFile.test(url)) found.add(url);
  const names = new Map([...source.matchAll(named)].map(([, name = "", url = ""]) => [name, url]));
  for (const [name, url] of [...names].slice(0, maxNames)) if (isSource(source, name)) found.add(url);
  return [...found].slice(0, maxAddresses);
}

/** More are not told of one script. */
const maxAddresses = 20;
/** Each is looked for in the whole script. */
const maxNames = 50;

/** Whether a variable is what some element's address begins with. */
function isSource(source: string, name: string): boolean {
  const escaped = name.replaceAll("$", "\\$");
  return new RegExp(`\\bsrc\\s{0,20}=\\s{0,20}${escaped}(?![\\w$])`).test(source);
}
