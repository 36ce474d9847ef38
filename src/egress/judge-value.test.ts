import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import {
  awsSignature,
  basic,
  bearer,
  clientCredentials,
  hmac,
  inHeader,
  inQuery,
  jwtAssertion,
} from "../contract/index.ts";
import type { ContractWebhook, Injector } from "../contract/index.ts";
import { Secret } from "../shared/index.ts";
import { judgeValue } from "./judge-value.ts";
import type { PurposeOfValue, ValueJudgement } from "./judge-value.ts";

const request = (inject: Injector): PurposeOfValue => ({
  name: "A_KEY",
  purpose: "request",
  inject,
  schemes: [],
});
const webhook = (...schemes: ContractWebhook["scheme"][]): PurposeOfValue => ({
  name: "A_KEY",
  purpose: "webhook",
  inject: undefined,
  schemes,
});
const password: PurposeOfValue = { name: "A_KEY", purpose: "connection", inject: undefined, schemes: [] };

const aws = awsSignature({ region: "r", service: "s" });
const client = clientCredentials({ tokenUrl: "https://login.example/token" });
const signed = hmac({ header: "X-Sig", over: ["body"] });
const jwt = jwtAssertion({ issuer: "i", audience: "a" });
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ type: "pkcs8", format: "pem" });
const sec1 = privateKey.export({ type: "sec1", format: "pem" });
const jwk = JSON.stringify(privateKey.export({ format: "jwk" }));

const judge = (purpose: PurposeOfValue, text: string): Promise<ValueJudgement> =>
  judgeValue(purpose, new Secret(text));

test("A value that its injector or its scheme can use, and that is as it should be, is neither refused nor remarked on", async () => {
  const fine: [PurposeOfValue, string][] = [
    [request(bearer()), "a-token-that-is-made-up"],
    [request(inHeader("X-Api-Key", "Key ")), "a token with blanks within"],
    [request(inQuery("key")), "gibt's-überall-€"],
    [request(basic()), "user:gibt's-überall"],
    [request(aws), "AKIDEXAMPLE:made-up-made-up"],
    [request(client), "client-id:made-up-made-up"],
    [request(signed), "made-up-made-up-made-up"],
    [request(jwt), pem],
    [webhook("standard"), `whsec_${Buffer.alloc(24, 7).toString("base64")}`],
    [webhook("standard"), Buffer.alloc(24, 7).toString("base64")],
    [webhook("stripe"), "whsec_made-up-made-up"],
    [webhook("github", "slack"), "made-up-made-up-made-up"],
    [webhook(), "made-up-made-up-made-up"],
    [password, "p"],
  ];
  for (const [purpose, text] of fine)
    assert.deepEqual(await judge(purpose, text), { unfit: undefined, risks: [] }, JSON.stringify(purpose));
});

test("A value that can't be sent or checked with is refused, with the form that it must have and nothing of itself", async () => {
  const unfit: [PurposeOfValue, string, RegExp][] = [
    [request(bearer()), "canary\r\nX-Evil: 1", /ASCII/],
    [request(bearer()), "canary\n", /without spaces around/],
    [request(bearer()), "canar\u00ff", /ASCII/],
    [request(inHeader("X-Key")), "canary\u20ac", /ASCII/],
    [request(basic()), "canary", /user:password/],
    [request(basic()), "user:canary\n", /user:password/],
    [request(aws), "canary", /ACCESS_KEY_ID:SECRET/],
    [request(aws), "canary\n:canary", /ACCESS_KEY_ID:SECRET/],
    [request(client), "canary", /client_id:client_secret/],
    [request(jwt), "canary", /openssl pkcs8/],
    [request(jwt), sec1, /openssl pkcs8/],
    [request(jwt), jwk, /openssl pkcs8/],
    [webhook("standard"), "canary", /Base64 of 24 bytes/],
    [webhook("stripe", "standard"), "whsec_canary", /Base64 of 24 bytes/],
  ];
  for (const [purpose, text, form] of unfit) {
    const judgement = await judge(purpose, text);
    assert.match(judgement.unfit?.form ?? "", form, JSON.stringify(purpose));
    assert.doesNotMatch(JSON.stringify(judgement), /canary|MIG|"d"/);
  }
});

test("What is probably not meant is told, in words that hold nothing of it", async () => {
  const risky: [PurposeOfValue, string, RegExp][] = [
    [request(inQuery("key")), "canary-canary\n", /begins or ends with a blank/],
    [request(basic()), "user:canary-canary ", /begins or ends with a blank/],
    [webhook("github"), "canary-canary-canary\n", /begins or ends with a blank/],
    [request(bearer()), '"canary-canary"', /quotes/],
    [request(bearer()), "A_KEY=canary-canary", /begins with "A_KEY="/],
    [request(bearer()), "Bearer canary-canary", /put before it anyway/],
    [request(inHeader("X-Key", "Token ")), "token canary-canary", /put before it anyway/],
    [request(inQuery("key")), "canary\ncanary", /several lines/],
    [request(bearer()), "canar", /so short/],
    [request(basic()), "canary-canary:pass", /so short/],
    [request(signed), "canary", /can try keys/],
    [request(aws), "ASIAEXAMPLE:canary-canary", /temporary key/],
    [request(bearer()), "canary".repeat(2000), /longer than the headers/],
    [webhook("stripe"), "canary-canary-canary", /"whsec_"/],
    [webhook("slack"), "canary", /can try keys/],
    [password, "redis://user:canary@host", /URL/],
  ];
  for (const [purpose, text, risk] of risky) {
    const { unfit, risks } = await judge(purpose, text);
    assert.equal(unfit, undefined, text);
    assert.equal(risks.length, 1, `${text}: ${risks.join("; ")}`);
    assert.match(risks[0] ?? "", risk);
    assert.doesNotMatch(risks.join(), /canary/i);
  }
});
