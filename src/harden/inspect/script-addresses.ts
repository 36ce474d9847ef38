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
  for (const [name, url] of [...names].slice(0, maxNames))
    for (const rest of restsOf(source, name)) found.add(url + rest);
  return [...found].slice(0, maxAddresses);
}

/** More are not told of one script. */
const maxAddresses = 20;
/** Each is looked for in the whole script. */
const maxNames = 50;

/** What follows a variable's text in the addresses that begin with it, as far as it is written out. */
function restsOf(source: string, name: string): string[] {
  const escaped = name.replaceAll("$", "\\$");
  const uses = new RegExp(
    `\\bsrc\\s{0,20}=\\s{0,20}${escaped}(?![\\w$])(?:\\s{0,20}\\+\\s{0,20}["'\`]([^"'\`\\s\\\\<>]{1,200})["'\`])?`,
    "g",
  );
  return [...source.matchAll(uses)].slice(0, maxAddresses).map(([, rest = ""]) => rest);
}

/** An address, in a text of JSON too, up to the end of its host. */
const hosts = /(?:\\?\/){2}([a-z0-9_-]+(?:\.[a-z0-9_-]+)+(?::\d{1,5})?)(?![\w.@-])/gi;
/** More are not looked for in one script. */
const maxHosts = 1_000;

/** Finds the hosts of all addresses that stand in a script, in its comments too. */
export function findHosts(source: string): readonly string[] {
  if (!/\/\\?\//.test(source)) return [];
  const found = new Set<string>();
  for (const [, host = ""] of source.matchAll(hosts)) {
    found.add(host.toLowerCase());
    if (found.size >= maxHosts) break;
  }
  return [...found];
}
