interface Cookie {
  name: string;
  value: string;
  host: string;
  /** Sent to subdomains too. */
  isWide: boolean;
  path: string;
}

/** Remembers cookies as a browser does, as far as a login needs it. */
export interface CookieJar {
  /** Takes over the `set-cookie` values of an answer. */
  store(url: URL, values: readonly string[]): void;
  /** The `cookie` value for a request; undefined when there is none. */
  header(url: URL): string | undefined;
}

const maxCookies = 100;

/** Makes an empty {@link CookieJar}. All cookies are kept to https or loopback by whoever uses it. @see RFC 6265 §5 */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();
  return {
    store(url, values) {
      for (const text of values) {
        const cookie = parseCookie(url, text);
        if (cookie === undefined) continue;
        const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
        cookies.delete(key);
        if (!isOver(text) && cookies.size < maxCookies) cookies.set(key, cookie);
      }
    },
    header(url) {
      const found = [...cookies.values()]
        .filter((cookie) => fits(cookie, url))
        .sort((left, right) => right.path.length - left.path.length);
      return found.length === 0 ? undefined : found.map(({ name, value }) => `${name}=${value}`).join("; ");
    },
  };
}

function parseCookie(url: URL, text: string): Cookie | undefined {
  const [pair = "", ...attributes] = text.split(";");
  const equals = pair.indexOf("=");
  if (equals < 1) return undefined;
  const attribute = (name: string): string | undefined =>
    attributes
      .map((part) => part.trim())
      .find((part) => part.toLowerCase().startsWith(`${name}=`))
      ?.slice(name.length + 1);
  const domain = attribute("domain")?.replace(/^\./, "").toLowerCase();
  if (domain !== undefined && domain !== url.hostname && !url.hostname.endsWith(`.${domain}`))
    return undefined;
  const path = attribute("path");
  return {
    name: pair.slice(0, equals).trim(),
    value: pair.slice(equals + 1).trim(),
    host: domain ?? url.hostname,
    isWide: domain !== undefined,
    path:
      path?.startsWith("/") === true
        ? path
        : url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf("/"))),
  };
}

function isOver(text: string): boolean {
  const maxAge = /;\s*max-age=(-?\d+)/i.exec(text)?.[1];
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = /;\s*expires=([^;]+)/i.exec(text)?.[1];
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

function fits(cookie: Cookie, url: URL): boolean {
  const isHost = url.hostname === cookie.host || (cookie.isWide && url.hostname.endsWith(`.${cookie.host}`));
  const { path } = cookie;
  return isHost && (url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`));
}
