import { isSpace } from "../text/text.ts";

/**
 * The addresses of a `srcset` or `imagesrcset`, in their order.
 *
 * @see https://html.spec.whatwg.org/multipage/images.html#parsing-a-srcset-attribute
 */
export function srcsetAddresses(value: string): string[] {
  const addresses: string[] = [];
  let at = 0;
  for (;;) {
    while (at < value.length && (isSpace(value.charCodeAt(at)) || value[at] === ",")) at++;
    if (at >= value.length) return addresses;
    const from = at;
    while (at < value.length && !isSpace(value.charCodeAt(at))) at++;
    let to = at;
    while (to > from && value[to - 1] === ",") to--;
    // `from` holds no comma, so there is an address.
    addresses.push(value.slice(from, to));
    if (to === at) at = skipDescriptors(value, at);
  }
}

/** Goes behind the comma that ends a candidate: not one inside parentheses. */
function skipDescriptors(value: string, from: number): number {
  let isInParentheses = false;
  for (let at = from; at < value.length; at++) {
    const character = value[at];
    if (isInParentheses) isInParentheses = character !== ")";
    else if (character === "(") isInParentheses = true;
    else if (character === ",") return at + 1;
  }
  return value.length;
}
