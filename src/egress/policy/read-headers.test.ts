import assert from "node:assert/strict";
import { test } from "node:test";
import { readHeaders } from "./read-headers.ts";

const read = (...raw: string[]): unknown => {
  const found = readHeaders(raw, "api.example");
  return found instanceof Map ? Object.fromEntries(found) : found.code;
};

test("what a caller says of itself, of its connection, and what leads astray stays here", () => {
  assert.deepEqual(
    read(
      ...["Accept", "a", "accept", "b", "X-Own", "1", "Host", "api.example"],
      ...["Authorization", "x", "Cookie", "x", "Connection", "close, X-Hop", "X-Hop", "1", "TE", "trailers"],
      ...["X-Curtainwall-Function", "quotes", "X-Curtainwall-Anything", "1", "Proxy-Authorization", "x"],
      ...["X-HTTP-Method-Override", "DELETE", "X_HTTP_Method_Override", "DELETE", "X-Original-URL", "/admin"],
      ...[
        "X.HTTP.Method.Override",
        "DELETE",
        "X.Forwarded!For",
        "1",
        "Fastly-Client-IP",
        "1",
        "X_Host",
        "evil",
      ],
      ...["X-Amz-Copy-Source", "/other/key", "x-ms-copy-source", "https://other", "X-Copy-From", "/other"],
      ...["X-Forwarded-For", "1", "Forwarded", "for=1", "Accept-Encoding", "gzip", "Expect", "100-continue"],
    ),
    { accept: "a, b", "x-own": "1" },
  );
});

test("whatever way servers make up names of other addresses, methods and clients, they stay here, and names of services' own go out", () => {
  const astray = [
    ...["X-Forwarded", "X-ProxyUser-Ip", "X-Original-Uri", "X-Original-Path", "X-Envoy-Original-Path"],
    ...[
      "X-HTTP-Path-Override",
      "X-Arr-Original-Url",
      "X-Requested-Method",
      "X-Accel-Redirect",
      "Destination",
    ],
    ...["Base-Url", "X-HTTP-DestinationURL", "WL-Proxy-Client-IP", "Z-Forwarded-For", "Cdn-Real-Ip"],
    ...[
      "CF-Connecting-IPv6",
      "X-Azure-ClientIP",
      "X-Originating-IP",
      "X-Remote-User",
      "Remote_Addr",
      "X-Host",
    ],
    ...["X-Middleware-Rewrite", "X-Invoke-Path", "X-Matched-Path", "X-WAWS-Unencoded-URL", "X-Real.IP"],
    ...[
      "X-Goog-Copy-Source-If-Match",
      "X-Amz-Rename-Source",
      "x-ms-file-rename-source",
      "X-Copy-From-Account",
    ],
    ...["X-Http-Method", "X-Method", "Http-Method-Override", "Client-IP", "X-Object-Manifest"],
  ];
  for (const name of astray) assert.deepEqual(read(name, "1"), {}, name);
  const honest = [
    ...["idempotency-key", "stripe-version", "stripe-account", "notion-version", "x-github-api-version"],
    ...[
      "dropbox-api-arg",
      "dropbox-api-path-root",
      "x-goog-user-project",
      "x-request-id",
      "x-requested-with",
    ],
    ...["x-amz-date", "x-ms-version", "x-ms-blob-type", "x-upload-content-length", "x-auth-email"],
    ...[
      "anthropic-version",
      "openai-organization",
      "if-none-match",
      "range",
      "prefer",
      "traceparent",
      "origin",
    ],
    ...["user-agent", "content-type", "content-md5", "accept-language", "x-api-key", "x-shop-description"],
  ];
  for (const name of honest) assert.deepEqual(read(name, "1"), { [name]: "1" }, name);
});

test("what is said twice, or otherwise than in the target, is refused", () => {
  const refused = "EGRESS_HEADERS_REFUSED";
  assert.equal(read("Host", "evil.example"), refused);
  assert.equal(read("Host", "api.example", "host", "api.example"), refused);
  assert.equal(read("Content-Length", "1", "content-length", "1"), refused);
  assert.equal(read("Content-Length", "1", "Transfer-Encoding", "chunked"), refused);
  assert.equal(read("Authorization", "a", "authorization", "b"), refused);
  assert.equal(read("X-Curtainwall-Function", "a", "X-Curtainwall-Function", "b"), refused);
  assert.equal(read("X", "y".repeat(16_385)), refused);
  assert.equal(read(...Array.from({ length: 101 }, (_, index) => [`x${index}`, "1"]).flat()), refused);
});
