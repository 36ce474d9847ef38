import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsV4Signer } from "aws4fetch";
import fc from "fast-check";
import { Secret } from "../../shared/index.ts";
import { injectAwsSignature } from "./aws.ts";
import type { Outgoing } from "./outgoing.ts";

// AWS's own examples say these; they are nobody's.
const example = { id: "AKIDEXAMPLE", key: ["wJalrXUtnFEMI/K7MDENG", "bPxRfiCYEXAMPLEKEY"].join("+") };
const value = new Secret(`${example.id}:${example.key}`);
const now = (): number => Date.UTC(2015, 7, 30, 12, 36, 0);
const region = "us-east-1";

function outgoing(method: string, target: string, headers: Record<string, string> = {}, body = ""): Outgoing {
  const [path = "", query = ""] = target.split("?", 2);
  return {
    method,
    origin: "https://example.amazonaws.com",
    path,
    query,
    headers: new Map(Object.entries(headers)),
    body: body === "" ? undefined : new TextEncoder().encode(body),
  };
}

async function sign(request: Outgoing, service = "service"): Promise<string> {
  await injectAwsSignature({ region, service }, now)(request, value);
  return request.headers.get("authorization") ?? "";
}

const pairsOf = (query: URLSearchParams): string[] =>
  [...query].map(([name, text]) => JSON.stringify([name, text])).toSorted();

// "Signature Version 4 test suite" of the AWS General Reference: those that a request of ours can look like.
const unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const published: [name: string, method: string, target: string, signature: string, form?: string][] = [
  ["get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  [
    "get-unreserved",
    "GET",
    `/${unreserved}`,
    "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  ],
  [
    "get-vanilla-empty-query-key",
    "GET",
    "/?Param1=value1",
    "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
  ],
  [
    "get-vanilla-query-order-key",
    "GET",
    "/?Param1=value2&Param1=Value1",
    "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
  ],
  [
    "get-vanilla-query-order-key-case",
    "GET",
    "/?Param2=value2&Param1=value1",
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-vanilla-query-order-value",
    "GET",
    "/?Param1=value2&Param1=value1",
    "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
  ],
  [
    "get-vanilla-query-unreserved",
    "GET",
    `/?${unreserved}=${unreserved}`,
    "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
  ],
  [
    "get-vanilla-utf8-query",
    "GET",
    `/?${encodeURIComponent("\u1234")}=bar`,
    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
  ],
  ["post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  [
    "post-vanilla-query",
    "POST",
    "/?Param1=value1",
    "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
  ],
  [
    "post-x-www-form-urlencoded",
    "POST",
    "/",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    "Param1=value1",
  ],
];

for (const [name, method, target, signature, form = ""] of published)
  test(`AWS's published example is signed as published: ${name}`, async () => {
    const headers = form === "" ? {} : { "content-type": "application/x-www-form-urlencoded" };
    const request = outgoing(method, target, headers, form);
    const signed = form === "" ? "host;x-amz-date" : "content-type;host;x-amz-date";
    assert.equal(
      await sign(request),
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
    );
  });

test("any request is signed as aws4fetch signs it, and what is sent is what was signed", async () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "B", "0", "é", " ", "*", "(", "'", "~", "!", "&", "=", "+", "€"),
  });
  const segments = fc.array(
    text.filter((part) => part !== ""),
    { maxLength: 4 },
  );
  // aws4fetch leaves out keys that are empty, and for S3 those that stand twice.
  const key = text.filter((name) => name !== "");
  const pairs = fc.uniqueArray(fc.tuple(key, text), { maxLength: 5, selector: ([name]) => name });
  const service = fc.constantFrom("s3", "execute-api", "sqs");
  await fc.assert(
    fc.asyncProperty(
      segments,
      pairs,
      service,
      fc.constantFrom("GET", "PUT"),
      text,
      async (path, query, to, method, body) => {
        const target = `/${path.map(encodeURIComponent).join("/")}`;
        const request = outgoing(
          method,
          `${target}?${new URLSearchParams(query).toString()}`,
          { "x-amz-meta-a": "b" },
          method === "GET" ? "" : body,
        );
        const given = `${request.origin}${request.path}?${request.query}`;
        const authorization = await sign(request, to);
        const signer = new AwsV4Signer({
          url: given,
          method,
          headers: {
            "x-amz-meta-a": "b",
            ...(to === "s3"
              ? { "x-amz-content-sha256": request.headers.get("x-amz-content-sha256") ?? "" }
              : {}),
          },
          ...(request.body === undefined ? {} : { body: request.body as Uint8Array<ArrayBuffer> }),
          accessKeyId: example.id,
          secretAccessKey: example.key,
          region,
          service: to,
          datetime: request.headers.get("x-amz-date") ?? "",
        });
        assert.equal(authorization, (await signer.sign()).headers.get("authorization"));
        const sent = new URL(`${request.origin}${request.path}?${request.query}`).searchParams;
        assert.deepEqual(pairsOf(sent), pairsOf(new URL(given).searchParams));
      },
    ),
    { numRuns: 300 },
  );
});
