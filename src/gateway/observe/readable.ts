const maxPairs = 1000;

/**
 * Tells whether a query or a form can go on as it came: ASCII that needs no escape, whole escapes in UTF-8, no U+0000, and no key that reaches
 * for a prototype, in brackets neither.
 */
export function isReadable(text: string): boolean {
  if (!/^[!-~]*$/.test(text) || /[#<>"\\^`{|}]/.test(text)) return false;
  const pairs = text.split("&", maxPairs + 1);
  return pairs.length <= maxPairs && pairs.every(isReadablePair);
}

function isReadablePair(pair: string): boolean {
  try {
    const decoded = decodeURIComponent(pair.replaceAll("+", " "));
    const [key = ""] = decoded.split("=", 1);
    return !decoded.includes("\0") && !/__proto__|constructor|prototype/.test(key);
  } catch {
    return false;
  }
}
