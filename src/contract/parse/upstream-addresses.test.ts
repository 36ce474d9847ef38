import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { everyone } from "../access.ts";
import type { ContractUpstream } from "../contract.ts";
import { defineStack } from "../define.ts";
import { upstream } from "../define/upstream.ts";
import type { UpstreamOptions } from "../define/upstream.ts";
import { parseContract } from "../parse.ts";

function parse(options: UpstreamOptions): ContractUpstream {
  const { upstreams } = parseContract(
    defineStack({
      origin: "https://www.bakery.example",
      upstreams: { shop: upstream(options) },
      routes: {
        "GET /api/hours": { access: everyone, limit: "9/min per client", response: z.object({}), to: "shop" },
      },
    }),
  );
  return upstreams.get("shop") as ContractUpstream;
}

const refused = (url: unknown, options: object = {}, message = /shop\.(?:url|network)/): void =>
  assert.throws(() => parse({ url: url as string, ...options }), {
    code: "CONTRACT_OPTION_INVALID",
    message,
  });

test("an upstream has one URL, or several of one scheme and path", () => {
  assert.equal(parse({ url: "https://a.internal/v1" }).alternates, undefined);
  const { url, alternates } = parse({ url: ["https://a.internal/v1", "https://b.internal:8443/v1"] });
  assert.equal(url.href, "https://a.internal/v1");
  assert.deepEqual(
    alternates?.map(({ href }) => href),
    ["https://b.internal:8443/v1"],
  );
  refused([]);
  refused(["https://a.internal/v1", 7]);
  refused(["https://a.internal/v1", "https://b.internal/v2"], {}, /one scheme and one path/);
  refused(["https://a.internal", "https://a.internal/"], {}, /twice/);
  refused(
    Array.from({ length: 17 }, (_, index) => `https://a${index}.internal`),
    {},
    /16/,
  );
});

test("http is weakened once for all of them, and never mixed with https", () => {
  const insecureAllowHttp = "listens on loopback only";
  assert.equal(
    parse({ url: ["http://127.0.0.1:1", "http://127.0.0.1:2"], insecureAllowHttp }).alternates?.length,
    1,
  );
  refused(["http://127.0.0.1:1", "https://127.0.0.1:2"], { insecureAllowHttp }, /one scheme/);
  assert.throws(() => parse({ url: ["https://127.0.0.1:2", "http://127.0.0.1:1"] }), {
    code: /CONTRACT_(?:HTTP_REFUSED|OPTION_INVALID)/,
    message: /http/,
  });
});

test("its network may be declared for a name; an address lies where it lies", () => {
  assert.equal(parse({ url: "https://shop.example" }).network, undefined);
  assert.equal(parse({ url: "https://shop.example", network: "private" }).network, "private");
  assert.equal(parse({ url: "https://10.0.0.1", network: "private" }).network, "private");
  refused("https://shop.example", { network: "lan" }, /"public", "private" or "loopback"/);
  refused("https://10.0.0.1", { network: "public" }, /is private/);
  refused("https://127.0.0.1", { network: "private" }, /is loopback/);
  refused("https://localhost", { network: "private" }, /is loopback/);
});

test("no upstream is a metadata service, however it is written", () => {
  for (const host of [
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
    "0.0.0.0",
    "[::]",
  ])
    refused(`https://${host}/`, {}, /no service has such an address/);
});
