/**
 * Tells whether a request says twice what it may say once: Host, Authorization, Content-Type. Node keeps the first of them and says nothing of the
 * others; which one was meant nobody can tell, and another server may keep the last (RFC 9112 §3.2, RFC 9110 §5.3).
 *
 * @param rawHeaders name, value, name, value …, as they came
 */
export function repeatsSoleLine(rawHeaders: readonly string[]): boolean {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const line = soleLine(rawHeaders[at] as string);
    if ((seen & line) !== 0) return true;
    seen |= line;
  }
  return false;
}

/** A bit for each line that may stand once; 0 for all others. By length first: most names are done with after one comparison. */
function soleLine(name: string): number {
  switch (name.length) {
    case 4:
      return is(name, "Host", "host") ? 1 : 0;
    case 12:
      return is(name, "Content-Type", "content-type") ? 2 : 0;
    case 13:
      return is(name, "Authorization", "authorization") ? 4 : 0;
    default:
      return 0;
  }
}

const is = (name: string, usual: string, lowerCase: string): boolean =>
  name === usual || name === lowerCase || name.toLowerCase() === lowerCase;
