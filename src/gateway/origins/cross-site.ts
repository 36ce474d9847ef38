import type { GatewayRequest } from "../types.ts";

/**
 * Tells whether a browser vouches that a request was made by a page of ours. Needed wherever the browser adds the authority by
 * itself (a cookie, a client certificate), or where a session is created: there another site's page could act as its
 * visitor, or sign the visitor in as somebody else. What says nothing is refused.
 *
 * @param own the site's origin
 * @see Fetch Metadata §2.3 (Sec-Fetch-Site), RFC 6454 §7 (Origin), OWASP CSRF Prevention Cheat Sheet
 */
export function isFromOwnPage(own: string, request: Pick<GatewayRequest, "method" | "header">): boolean {
  const origin = request.header("origin");
  switch (request.header("sec-fetch-site")) {
    case "same-origin":
      // A page's own address is hidden from us under no-referrer; another's is a contradiction.
      return origin === undefined || origin === own || origin === "null";
    case "none":
      // Somebody typed the address, or opened a bookmark: no page is behind it. Nobody types a POST.
      return origin === undefined && (request.method === "GET" || request.method === "HEAD");
    case undefined:
      // A browser of before 2023, or none at all.
      return origin === own;
    default:
      return false;
  }
}
