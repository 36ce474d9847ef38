const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const ofBodies = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
];
const ofOrigins = ["authorization", "cookie", "proxy-authorization"];

/**
 * The request that an answer asks for in place of one, as `fetch` would make it. Undefined: it asks for none that can be made.
 *
 * @param secretKey a key of queries that was added on the way, and comes back where a service repeats the query
 * @see https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
export function redirected(
  request: Request,
  { status, headers: answered }: Pick<Response, "status" | "headers">,
  secretKey: string | undefined,
): Request | undefined {
  const location = answered.get("location");
  if (!redirects.has(status) || location === null || !URL.canParse(location, request.url)) return undefined;
  const url = new URL(location, request.url);
  if (!/^https?:$/.test(url.protocol)) return undefined;
  if (secretKey !== undefined && url.searchParams.has(secretKey)) url.searchParams.delete(secretKey);
  const { method, signal } = request;
  const becomesGet = status === 303 ? method !== "HEAD" : status < 303 && method === "POST";
  const headers = new Headers(request.headers);
  const left = [
    ...(becomesGet ? ofBodies : []),
    ...(url.origin === new URL(request.url).origin ? [] : ofOrigins),
  ];
  for (const name of left) headers.delete(name);
  if (!becomesGet) return new Request(url, new Request(request, { headers }));
  void request.body?.cancel().catch(() => undefined);
  return new Request(url, { method: "GET", headers, signal });
}
