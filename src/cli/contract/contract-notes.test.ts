import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { bearer, defineStack, everyone, fn, parseContract, secret, upstream } from "../../contract/index.ts";
import { describeHere, describeUncalled, uncalledFunctions } from "./contract-notes.ts";

const contract = parseContract(
  defineStack({
    origin: "https://localhost:8443",
    functions: { asked: {}, nightly: { every: "1d" }, forgotten: {} },
    upstreams: {
      shop: upstream({ url: "http://127.0.0.1:3000", insecureAllowHttp: "listens on loopback only" }),
      far: upstream({ url: "https://api.far.example" }),
    },
    secrets: {
      MAIL_KEY: secret({ use: "POST https://localhost:8447/v1/send", by: fn("asked"), inject: bearer() }),
    },
    routes: {
      "GET /api/asked": {
        access: everyone,
        limit: "9/min per client",
        response: z.object({}),
        to: fn("asked"),
      },
    },
  }),
);

test("a function that no route leads to and no schedule calls is named, with the lines that would call it", () => {
  assert.deepEqual(uncalledFunctions(contract), ["forgotten"]);
  assert.match(describeUncalled(contract)[0] ?? "", /forgotten: .*to: fn\("forgotten"\).*every: "1h"/);
});

test("services on this machine are told with their ports, which a lock has not, and no others", () => {
  assert.deepEqual(describeHere(contract), [
    "egress: https://localhost:8447",
    "secret MAIL_KEY: https://localhost:8447",
    "upstream shop: http://127.0.0.1:3000",
  ]);
});
