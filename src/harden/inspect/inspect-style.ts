import { tokenize, tokenTypes } from "css-tree/tokenizer";
import { ident, string, url } from "css-tree/utils";
import { createRecent } from "../../html/index.ts";

/** An address in a stylesheet. */
export interface StyleLoad {
  readonly kind: "style" | "image" | "font";
  /** As written, with escapes resolved. */
  readonly address: string;
}

/** What a stylesheet, or the value of a `style=`, asks a browser to load, and what about it matters for moving styles. */
export interface StyleFacts {
  readonly loads: readonly StyleLoad[];
  /** A selector looks at `style` attributes. */
  readonly selectsStyleAttribute: boolean;
  /** Has cascade layers, in which `!important` turns the order round. */
  readonly layered: boolean;
}

/** Functions whose strings are addresses. */
const addressFunctions = new Set([
  "url",
  "src",
  "image-set",
  "-webkit-image-set",
  "image",
  "cross-fade",
  "-webkit-cross-fade",
]);

/** Stylesheets remembered: pages of a site repeat a few, and reading one takes longer than reading the rest of its page. */
const remembered = createRecent<StyleFacts>(64);
/** In characters. Longer ones are read each time: together they would fill the memory. */
const maxRememberedLength = 50_000;

/**
 * Reads a stylesheet token by token, so that custom properties, which no parser understands before they are used, are read too.
 *
 * @see CSS Syntax 3 §4; CSS Values 4 §4.5; CSS Cascade 5 §2
 */
export function inspectStyle(source: string): StyleFacts {
  return source.length > maxRememberedLength ? readStyle(source) : remembered.get(source, readStyle);
}

function readStyle(source: string): StyleFacts {
  const loads: StyleLoad[] = [];
  let selectsStyleAttribute = false;
  let layered = false;
  // Where the tokens up to here have led.
  let importing = false;
  let fontFace = false;
  let fontDepth = 0;
  let afterBracket = false;
  /** The functions that are open, innermost last, and where what is in them begins. */
  const functions: { readonly name: string; readonly from: number }[] = [];

  const load = (address: string): void => {
    const kind = importing ? "style" : fontDepth > 0 ? "font" : "image";
    // A fragment alone stays on the page.
    if (address !== "" && !address.startsWith("#")) loads.push({ kind, address });
    importing = false;
  };

  tokenize(source, (type, start, end) => {
    const text = (): string => source.slice(start, end);
    if (type === tokenTypes.WhiteSpace || type === tokenTypes.Comment) return;
    switch (type) {
      case tokenTypes.AtKeyword: {
        const name = ident.decode(text().slice(1)).toLowerCase();
        importing = name === "import";
        fontFace = name === "font-face";
        layered ||= name === "layer";
        break;
      }
      case tokenTypes.Url:
        load(url.decode(text()));
        break;
      case tokenTypes.String:
        if (importing || addressFunctions.has(functions.at(-1)?.name ?? "")) load(string.decode(text()));
        break;
      case tokenTypes.Function: {
        const name = ident.decode(text().slice(0, -1)).toLowerCase();
        layered ||= name === "layer";
        functions.push({ name, from: end });
        break;
      }
      case tokenTypes.LeftParenthesis:
        functions.push({ name: "", from: end });
        break;
      case tokenTypes.RightParenthesis:
        // `url(` with an escape in its name is no token of its own here, as it is in CSS Syntax 3 §4.3.4.
        if (functions.at(-1)?.name === "url") load(unquoted(source.slice(functions.pop()?.from, start)));
        else functions.pop();
        break;
      case tokenTypes.LeftCurlyBracket:
        functions.length = 0;
        importing = false;
        if (fontFace || fontDepth > 0) fontDepth++;
        fontFace = false;
        break;
      case tokenTypes.RightCurlyBracket:
        functions.length = 0;
        if (fontDepth > 0) fontDepth--;
        break;
      case tokenTypes.Semicolon:
        importing = false;
        break;
      case tokenTypes.Ident:
        if (afterBracket && ident.decode(text()).toLowerCase() === "style") selectsStyleAttribute = true;
        break;
      default:
    }
    afterBracket = type === tokenTypes.LeftSquareBracket;
  });
  return { loads, selectsStyleAttribute, layered };
}

/** An address without quotes; nothing for one with quotes, which was found before. */
function unquoted(text: string): string {
  const trimmed = text.trim();
  return /^["']/.test(trimmed) ? "" : ident.decode(trimmed);
}
