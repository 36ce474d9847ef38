import type { Header } from "../../contract/index.ts";
import { literal } from "./json.ts";
import type { Json } from "./json.ts";

/** Sends headers whose values may hold placeholders. Those that Caddy would add by itself are taken away. */
export function sendHeaders(headers: readonly Header[], unwanted: readonly string[] = []): Json {
  const names = new Set(headers.map(([name]) => name));
  return {
    handler: "headers",
    response: {
      deferred: true,
      set: Object.fromEntries(headers.map(([name, value]) => [name, [value]])),
      // Content-Type is not among them: net/http guesses one for who has none, and the file server forbids it that.
      delete: [...["etag", "last-modified", "server"].filter((name) => !names.has(name)), ...unwanted],
    },
  };
}

/** Headers whose values are the texts themselves. */
export const literals = (headers: readonly Header[]): Header[] =>
  headers.map(([name, value]) => [name, literal(value)]);

/** Answers without a body. */
export function refuse(status: string, headers: readonly Header[]): Json {
  const handle = [sendHeaders(literals(headers)), { handler: "static_response", status_code: status }];
  return { handler: "subroute", routes: [{ handle }] };
}

/** Sends the bytes that lie under a digest, whatever the request's method and conditions, which have been looked at. */
export function sendBlob(folder: string, digest: string, status?: string): Json[] {
  const conditions = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"];
  return [
    {
      handler: "headers",
      request: { delete: status === undefined ? conditions : [...conditions, "Range"] },
    },
    { handler: "rewrite", method: status === undefined ? "{http.request.method}" : "GET", uri: `/${digest}` },
    {
      handler: "file_server",
      root: `${folder}/blobs`,
      ...(status === undefined ? {} : { status_code: status }),
    },
  ];
}
