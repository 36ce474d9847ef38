/**
 * Tells what is wrong with the address of a script of another site that pages may add while they run; nothing if it can be allowed.
 *
 * @param whole whether it stands for all scripts of an origin, or below a folder of it, and not for one
 */
export function scriptAddressProblem(address: string, whole: boolean): string | undefined {
  const url = URL.parse(address);
  if (url === null || url.protocol !== "https:") return "is no https address";
  if (url.username !== "" || url.password !== "") return "holds a name or a password";
  if (!nameable.test(url.host)) return "has a host that no policy can name";
  if (url.search !== "" || url.hash !== "")
    return "has a query or a fragment, which policies don't see: leave it out, and the script is allowed with any";
  if (/%2f$/i.test(url.pathname))
    return "ends in an encoded solidus, which browsers decode: as a source it stands for everything below it";
  const isFolder = url.pathname.endsWith("/");
  if (isFolder === whole) return undefined;
  return whole
    ? "names one script: that can be allowed by its exact address"
    : "stands for everything below it, not for one script";
}

/** URLs may have `*`, `;` and quotes in a host (URL §3.5), which a policy would read as its own (CSP 3 §2.3.1). */
const nameable = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/;
