/**
 * Cuts the hash of its bytes out of the name of a module of the site: `./chunks/app.C7f2x9Qa.js` is `./chunks/app.*.js`. Other names stay.
 */
export function stableSpecifier(specifier: string): string {
  if (!/^\.{0,2}\//.test(specifier) || specifier.startsWith("//")) return specifier;
  const cut = specifier.lastIndexOf("/") + 1;
  const found = /^(.*?)[-._]([A-Za-z0-9_-]{8,64})(\.(?:m?js|css))$/.exec(specifier.slice(cut));
  if (found === null) return specifier;
  const [, name = "", hash = "", extension = ""] = found;
  return isHash(hash) ? `${specifier.slice(0, cut)}${name}.*${extension}` : specifier;
}

/** Hexadecimal with a digit and a letter, or as irregular as base64: words, dates and versions are neither. */
function isHash(text: string): boolean {
  if (!/\d/.test(text)) return false;
  return /^[0-9a-f]+$/.test(text) ? /[a-f]/.test(text) : /[a-z]/.test(text) && /[A-Z]/.test(text);
}
