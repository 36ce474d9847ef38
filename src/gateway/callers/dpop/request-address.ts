/** The characters that an address is written with (RFC 3986 §2), without "@" and "\", which say where a host ends in more than one way. */
const plainAddress =
  /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[\w!$%&'()*+,./:;=@~-]*)?(?:[?#][\w!#$%&'()*+,./:;=?@~[\]-]*)?$/i;

const maxLength = 2048;

/**
 * Compiles the comparison of a proof's `htu` with the address that was asked for: by syntax and scheme, without query and fragment. The
 * address is that of the site's public origin, whatever the request's `Host` says: it is what the client believed that it talked to.
 *
 * @param origin the site's
 * @see RFC 9449 §4.3 (9), RFC 3986 §6.2.2, §6.2.3
 */
export function compileAddressCheck(origin: string): (htu: unknown, path: string) => boolean {
  return (htu, path) => {
    if (htu === origin + path) return true;
    if (typeof htu !== "string" || htu.length > maxLength || !plainAddress.test(htu)) return false;
    const url = URL.parse(htu);
    return url !== null && url.origin === origin && normalised(url.pathname) === normalised(path);
  };
}

/** Decodes what need not be escaped, and writes the other escapes in capitals. */
const normalised = (path: string): string =>
  path.replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
  });
