/**
 * Tells whether a browser that navigates to this address would run it as a script: `javascript:`, after the URL parser has removed
 * C0 controls and spaces before it and tabs and newlines anywhere.
 *
 * @see https://url.spec.whatwg.org/#concept-basic-url-parser
 */
export function isScriptUrl(value: string): boolean {
  const wanted = "javascript:";
  let matched = 0;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === 0x09 || code === 0x0a || code === 0x0d || (matched === 0 && code <= 0x20)) continue;
    const expected = wanted.charCodeAt(matched);
    if (code !== expected && !(isUpperCase(code) && (code | 0x20) === expected)) return false;
    matched++;
    if (matched === wanted.length) return true;
  }
  return false;
}

function isUpperCase(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}
