import type { GatewayRequest } from "../types.ts";

/**
 * Tells whether a browser vouches that a request was made by a page of ours. Needed wherever the browser adds the authority by
 * itself (a cookie, a client certificate), or where a session is created: there another site's page could act as its
 * visitor, or sign the visitor in as somebody else. What says nothing is refused.
 *
 * @param own the site's origin
 * @see Fetch Metadata §2.3 (Sec-Fetch-Site), WHATWG Fetch (Sec-Purpose), RFC 6454 §7 (Origin), OWASP CSRF Prevention Cheat Sheet
 */
export function isFromOwnPage(own: string, request: Pick<GatewayRequest, "method" | "header">): boolean {
  const origin = request.header("origin");
  switch (request.header("sec-fetch-site")) {
    case "same-origin":
      // A page's own address is hidden from us under no-referrer; another's is a contradiction.
      return origin === undefined || origin === own || origin === "null";
    case "none":
      // Somebody typed the address, or opened a bookmark: no page is behind it. Nobody types a POST. What is fetched ahead says the same, whichever
      // page asks for it by speculation rules, a stranger's too; once somebody goes there it is asked for anew, and says where it comes from.
      return (
        origin === undefined &&
        (request.method === "GET" || request.method === "HEAD") &&
        request.header("sec-purpose") === undefined
      );
    case undefined:
      // A browser of before 2023, or none at all.
      return origin === own;
    default:
      return false;
  }
}

/**
 * Tells whether a request may act with what its browser added by itself. What changes something needs {@link isFromOwnPage}. What only reads is
 * refused when the browser says that another page asks, a neighbour's under the same domain too: it could not read the answer, but could tell
 * from its size, its time or its status who is signed in. A program that is no browser sends no cookie but its own.
 *
 * @param own the site's origin
 * @see W3C Fetch Metadata §5 (resource isolation policies), RFC 6265bis §8.8 (SameSite is no defence against neighbours)
 */
export function mayActAsVisitor(own: string, request: Pick<GatewayRequest, "method" | "header">): boolean {
  if (isFromOwnPage(own, request)) return true;
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  return request.header("sec-fetch-site") === undefined && request.header("origin") === undefined;
}
