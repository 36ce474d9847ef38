/** The styles that a script puts into its page, as far as a policy decides on them; changes of `element.style` are free (CSP 3 §7.2). */
export interface ScriptStyles {
  /** Values of `style=` in markup that it writes out, each once. */
  readonly attributes: readonly string[];
  /** It adds style elements whose text can't be seen. */
  readonly unknownElements: boolean;
  /** It adds `style=` attributes whose value can't be seen. */
  readonly unknownAttributes: boolean;
}

const elements = /createElement(?:NS)?\s*\([^)]{0,80}["'`]style["'`]|<style[\s>]/i;
const setAttribute = /\bsetAttribute(?:NS)?\s*\([^)]{0,80}["'`]style["'`]/i;
const anyAttribute = /<[a-z][^<>]{0,400}?\sstyle\s*=/gi;
/** One whose value is written out, without anything that a string or a page would read as something else. */
const plainAttribute = /^[^<>]*?\sstyle\s*=\s*(\\?["'])([^"'\\<>`$&{}]*)\1/i;

/** Finds the styles that a script adds. */
export function findStyles(source: string): ScriptStyles {
  if (!/style/i.test(source)) return { attributes: [], unknownElements: false, unknownAttributes: false };
  const attributes = new Set<string>();
  let unknownAttributes = setAttribute.test(source);
  for (const { 0: match, index } of source.matchAll(anyAttribute)) {
    const at = index + match.search(/\sstyle\s*=$/i);
    const value = plainAttribute.exec(source.slice(at, at + 2_000))?.[2];
    if (value === undefined) unknownAttributes = true;
    else attributes.add(value);
  }
  return { attributes: [...attributes].sort(), unknownElements: elements.test(source), unknownAttributes };
}
