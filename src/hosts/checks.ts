import { hostsError, shown } from "./errors.ts";
import type { DeclaredFile, DeclaredRedirect } from "./site.ts";

/** Headers that say how an answer is framed, or that belong to whoever sends it. */
const ownHeaders = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "etag",
  "keep-alive",
  "last-modified",
  "location",
  "server",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Visible ASCII and single spaces between: what every host's file format carries unchanged. */
const headerValue = /^[\u0021-\u007e](?:[\u0020-\u007e]*[\u0021-\u007e])?$/;

/** Refuses a path that no request can name, or that means something else to a host than to a reader: the edge's rules. */
export function assertPath(path: string): void {
  const problem = pathProblem(path);
  if (problem === undefined) return;
  throw hostsError(
    "HOSTS_PATH_REFUSED",
    `The path ${shown(path)} can't be served: ${problem}.`,
    "Rename the file, or leave it out of the site",
  );
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return "it does not begin with /";
  if (!path.isWellFormed()) return "it is not well-formed Unicode";
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return "it has a control character";
  if (path.includes("\\")) return "it has a backslash";
  const segments = path.slice(1).split("/");
  if (segments.some((segment, at) => segment === "" && at < segments.length - 1))
    return "it has an empty segment";
  if (segments.some((segment) => segment === "." || segment === "..")) return "it has a dot segment";
  return undefined;
}

/** Refuses header names and values that a host's file could read as something else. */
export function assertHeaders(file: DeclaredFile): void {
  const names = new Set<string>();
  for (const [name, value] of file.headers) {
    const problem = headerProblem(name, value) ?? (names.has(name) ? "it is set twice" : undefined);
    if (problem !== undefined)
      throw hostsError(
        "HOSTS_HEADER_REFUSED",
        `The header ${shown(name)} of ${shown(file.path)} can't be emitted: ${problem}.`,
        "Headers of a release: lower-case names, each once, values of visible ASCII and spaces",
      );
    names.add(name);
  }
}

function headerProblem(name: string, value: string): string | undefined {
  if (!headerName.test(name)) return "its name is not a lower-case field name (RFC 9110 §5.1)";
  if (ownHeaders.has(name)) return "it is the host's own to set";
  if (!headerValue.test(value))
    return "its value is empty, begins or ends with a space, or is not visible ASCII";
  return undefined;
}

/** A digest becomes a file's name: nothing else may. */
export function assertSha256(sha256: string, path: string): void {
  if (/^[0-9a-f]{64}$/.test(sha256)) return;
  throw hostsError(
    "HOSTS_SITE_INVALID",
    `The site can't be emitted: ${shown(path)} has no SHA-256 in hexadecimal.`,
    "Build it again: npx curtainwall build",
  );
}

/** Refuses a redirect whose target a browser could read as another one, or that leads back to itself. */
export function assertRedirect({ from, to, status }: DeclaredRedirect): void {
  const problem = redirectProblem(from, to, status);
  if (problem === undefined) return;
  throw hostsError(
    "HOSTS_SITE_INVALID",
    `The redirect from ${shown(from)} to ${shown(to)} can't be emitted: ${problem}.`,
    "Write its target as an encoded absolute path, or as https://…",
  );
}

function redirectProblem(from: string, to: string, status: number): string | undefined {
  if (![301, 302, 307, 308].includes(status)) return `its status ${status} is not 301, 302, 307 or 308`;
  if (!/^[\u0021-\u007e]+$/.test(to) || /["<>\\^`{}]/.test(to)) return "its target is not an encoded URL";
  if (/^https?:\/\//.test(to)) return URL.canParse(to) ? undefined : "its target is not an encoded URL";
  if (!to.startsWith("/") || to.startsWith("//")) return "its target is neither a path nor an http(s) URL";
  return new URL(to, "https://site.test").pathname === new URL(`https://site.test${encodeURI(from)}`).pathname
    ? "it leads back to itself"
    : undefined;
}
