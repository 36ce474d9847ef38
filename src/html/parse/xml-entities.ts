import { decodeHTMLStrict } from "entities/decode";

/** The document types for which browsers know HTML's names of characters: https://html.spec.whatwg.org/multipage/xhtml.html#parsing-xhtml-documents */
const withHtmlEntities =
  /["']-\/\/(?:W3C\/\/DTD (?:XHTML 1\.0 (?:Transitional|Strict|Frameset)|XHTML 1\.1|XHTML Basic 1\.0|XHTML 1\.1 plus MathML 2\.0|MathML 2\.0|XHTML 1\.1 plus MathML 2\.0 plus SVG 1\.1)|WAPFORUM\/\/DTD XHTML Mobile 1\.0)\/\/EN["']/;

/**
 * The entities that a document type defines, as far as the text uses them. Undefined if it declares what would change the document in a
 * way that is not visible here: attributes with default values, entities that hold markup, other files.
 */
export function entitiesOf(doctype: string, text: string): Record<string, string> | undefined {
  const entities: Record<string, string> = {};
  if (withHtmlEntities.test(doctype)) Object.assign(entities, htmlEntities(text));
  const subset = doctype.indexOf("[");
  if (subset === -1) return entities;
  const declarations = doctype.slice(subset + 1).replace(/<!--[^]*?-->|<\?[^]*?\?>/g, "");
  const rest = declarations.replace(
    /<!ENTITY\s+([\w.:-]+)\s+(?:"([^"<&%]*)"|'([^'<&%]*)')\s*>|<!(?:ELEMENT|NOTATION)\s[^>%&]*>/g,
    (_, name: string | undefined, double: string | undefined, single: string | undefined) => {
      // The first declaration counts.
      if (name !== undefined && !Object.hasOwn(entities, name)) entities[name] = double ?? single ?? "";
      return "";
    },
  );
  return /^[\s\]]*$/.test(rest) ? entities : undefined;
}

function htmlEntities(text: string): Record<string, string> {
  const entities: Record<string, string> = {};
  for (const [reference, name] of text.matchAll(/&([A-Za-z][A-Za-z0-9]*);/g)) {
    const character = decodeHTMLStrict(reference);
    // These five mean the same in XML, and stay what they are.
    if (name !== undefined && character !== reference && !/^(?:amp|lt|gt|quot|apos)$/.test(name))
      entities[name] = character;
  }
  return entities;
}
