/** Bytes of a parameter, quotes included, that nginx 1.22 to 1.29 reads: its buffer is 4096 (`NGX_CONF_BUFFER`). */
export const maxParameterBytes = 4000;

/** The variable that stands for a dollar sign: nginx has no escape for it. */
const dollar = "${cw_dollar}";

/** A parameter whose dollar signs begin variables. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** A parameter that is the text itself, where nginx looks for variables. */
export function literal(text: string): string {
  return quoted(text).replaceAll("$", () => dollar);
}

/** A regular expression that matches the text itself and nothing else, case included; PCRE. */
export function exactly(text: string): string {
  return `${startingWith(text)}\\z`;
}

/** A regular expression that matches what begins with the text. */
export function startingWith(text: string): string {
  return `~^${text.replaceAll(/[^A-Za-z0-9/\u0080-\uffff]/g, "\\$&")}`;
}

/** Splits a text into pieces whose literals nginx can read. */
export function pieces(text: string): string[] {
  if (utf8Length(literal(text)) <= maxParameterBytes) return [text];
  const found: string[] = [];
  let piece = "";
  let length = 2;
  for (const character of text) {
    const cost = literal(character).length - 2;
    if (length + cost > maxParameterBytes) {
      found.push(piece);
      piece = "";
      length = 2;
    }
    piece += character;
    length += cost;
  }
  found.push(piece);
  return found;
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
