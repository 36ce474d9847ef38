import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { unpack } from "../node/unpack.ts";
import { base62, crc32 } from "./crc32.ts";
import { createLeakGate } from "./gate.ts";
import { tokenRules } from "./token-rules.ts";
import type { LeakHit } from "./types.ts";

// Every token here is put together when the test runs: none stands in this file, so no scanner of repositories takes it for one.

const gate = createLeakGate({ unpack });
const inspect = (text: string, path = "app.js"): LeakHit[] =>
  gate.inspect({ path, bytes: new TextEncoder().encode(text) });

/** Characters that look random and are the same in every run. */
function noise(seed: string, alphabet: string, length: number): string {
  let text = "";
  for (let block = 0; text.length < length; block++)
    for (const byte of createHash("sha256").update(`${seed} ${block}`).digest())
      text += alphabet[byte % alphabet.length] ?? "";
  return text.slice(0, length);
}

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const digits = "0123456789";
const alnum = upper + upper.toLowerCase() + digits;
const hexDigits = "0123456789abcdef";
const some = (length: number, alphabet = alnum): string => noise(`${length}${alphabet}`, alphabet, length);
const withChecksum = (random: string): string => random + base62(crc32(random));

/** A body for each rule, made of noise. */
const bodies: Record<string, string> = {
  github: withChecksum(some(30)),
  "github-fine-grained": `${some(22)}_${some(59)}`,
  gitlab: some(20),
  npm: withChecksum(some(30)),
  pypi: some(80),
  "crates-io": some(32),
  rubygems: some(48, hexDigits),
  docker: some(27),
  stripe: some(24),
  "stripe-test": some(24),
  "stripe-webhook": some(32),
  square: some(22),
  shopify: some(32, hexDigits),
  slack: `${some(12, digits)}-${some(12, digits)}-${some(24)}`,
  "slack-app": `1-A${some(10, upper)}-${some(13, digits)}-${some(64, hexDigits)}`,
  "slack-webhook": `T${some(9, upper)}/B${some(10, upper)}/${some(24)}`,
  "discord-webhook": `${some(19, digits)}/${some(68)}`,
  telegram: some(32),
  "google-api": some(35),
  "google-oauth": some(28),
  openai: `${some(74)}${["T3Blbk", "FJ"].join("")}${some(74)}`,
  anthropic: `api03-${some(93)}AA`,
  "hugging-face": some(34, upper + upper.toLowerCase()),
  groq: some(52),
  replicate: some(37),
  cloudflare: some(40) + some(8, hexDigits),
  "cloudflare-origin": `${some(24, hexDigits)}-${some(146, hexDigits)}`,
  netlify: some(36),
  digitalocean: some(64, hexDigits),
  heroku: some(60),
  supabase: some(40, hexDigits),
  planetscale: some(43),
  sendgrid: `${some(22)}.${some(43)}`,
  brevo: `${some(64, hexDigits)}-${some(16)}`,
  postman: `${some(24, hexDigits)}-${some(34, hexDigits)}`,
  "new-relic": some(27, upper + digits),
  grafana: `${some(32)}_${some(8, hexDigits)}`,
  sentry: some(64, hexDigits),
  contentful: some(43),
  notion: some(46),
  linear: some(40),
  figma: some(43),
  curtainwall: withChecksum(some(40)),
  mapbox: `${some(60)}.${some(22)}`,
  doppler: some(43),
  vault: some(95),
  terraform: some(67),
  pulumi: some(40, hexDigits),
  age: some(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
  "azure-storage": `${some(86)}==`,
};

suite("tokens of known kinds", () => {
  for (const { id, prefixes, body, level = "hit" } of tokenRules) {
    test(`${id}: each prefix is found, and told masked; a wrong length or an example is not`, () => {
      const made = bodies[id] ?? assert.fail("write a body for it");
      assert.equal(body.exec(made)?.[0], made, "the body is not what the rule describes");
      for (const prefix of prefixes) {
        const [hit, ...others] = inspect(`const key = "${prefix}${made}";`);
        assert.deepEqual([hit?.rule, hit?.level, others], [`token-${id}`, level, []], prefix);
        assert.ok((hit?.excerpt.length ?? 9) <= 6);
        const around = `${prefix}${made.slice(0, 9)} and ${prefix}${"x".repeat(made.length)}`;
        assert.deepEqual(inspect(around), []);
      }
    });
  }

  test("a GitHub token whose checksum is wrong is a note", () => {
    const [hit] = inspect(["ghp", some(36)].join("_"));
    assert.equal(hit?.level, "note");
    assert.match(hit?.message ?? "", /checksum/);
  });

  test("a token is found in base64, escaped and in a data: address too", () => {
    const token = ["npm", withChecksum(some(30))].join("_");
    for (const text of [
      Buffer.from(`//registry.example/:_authToken=${token}`).toString("base64"),
      Array.from(token, (character) => `&#${character.charCodeAt(0)};`).join(""),
      `%22${encodeURIComponent(`"${token}`)}`,
    ])
      assert.deepEqual(
        inspect(`"${text}"`).map(({ rule }) => rule),
        ["token-npm"],
      );
  });

  test("no name, hash or word that begins like a token is taken for one", () => {
    const harmless = [
      "npm_config_registry npm_lifecycle_event npm_package_version",
      "const ghp_count = 1; AIzawa; sk-learn sk-ant-hill xoxo-xoxo",
      `<script integrity="sha384-${some(64)}">`,
      "pulumi-up pul-over dapi hf_hub_download_with_a_long_name_in_it r8_encoding",
      `${some(200)}ghp_${some(200)}`,
    ].join("\n");
    assert.deepEqual(inspect(harmless), []);
  });
});

const pem = (kind: string, body: string): string =>
  `-----BEGIN ${kind}-----\n${body.replaceAll(/.{64}/g, "$&\n")}\n-----END ${kind}-----\n`;

suite("private keys", () => {
  for (const kind of ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
    test(`${kind}PRIVATE KEY with a body is found; also in JSON, and packed into one line`, () => {
      const key = pem(`${kind}PRIVATE KEY`, some(300));
      for (const text of [
        key,
        JSON.stringify({ key }),
        key.replaceAll("\n", "\\n"),
        Buffer.from(key).toString("base64"),
      ])
        assert.ok(inspect(text).some(({ rule, level }) => rule === "token-private-key" && level === "hit"));
    });

  test("a certificate, a public key, and a key that a document leaves out are not", () => {
    assert.deepEqual(inspect(pem("CERTIFICATE", some(300))), []);
    assert.deepEqual(inspect(pem("PUBLIC KEY", some(120))), []);
    assert.deepEqual(
      inspect("-----BEGIN RSA PRIVATE KEY-----\n[ your key here ]\n-----END RSA PRIVATE KEY-----"),
      [],
    );
    assert.deepEqual(
      inspect("it begins with -----BEGIN PRIVATE KEY----- and then comes base64, as we saw"),
      [],
    );
  });
});

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (payload: object, header: object = { alg: "ES256", typ: "JWT" }): string =>
  [part(header), part(payload), some(86)].join(".");

suite("JSON Web Tokens", () => {
  test("one that may still count is a hit", () => {
    assert.deepEqual(
      inspect(`token="${jwt({ sub: "shop", role: "service_role" })}"`).map(({ rule, level }) => [
        rule,
        level,
      ]),
      [["token-jwt", "hit"]],
    );
  });

  test("one that expired, an example, or one made for browsers is a note", () => {
    for (const claims of [{ exp: 1_500_000_000 }, { sub: "1234567890", name: "John Doe" }, { role: "anon" }])
      assert.deepEqual(
        inspect(jwt(claims)).map(({ level }) => level),
        ["note"],
      );
  });

  test("an unsigned one, and three words with dots between them, are nothing", () => {
    assert.deepEqual(inspect(jwt({ sub: "x" }, { alg: "none" })), []);
    assert.deepEqual(inspect("eyJhbGciOiJub25lIn0abcdef.prototype.somethingThatIsLong"), []);
  });
});

suite("AWS access keys", () => {
  const id = `AKIA${some(16, `${upper}234567`)}`;
  test("an id is found, and its secret beside it", () => {
    assert.equal(inspect(`"${id}"`)[0]?.message, "the id of an AWS access key");
    assert.equal(inspect(`"${id}","${some(40)}"`)[0]?.message, "an AWS access key, id and secret");
  });
  test("the one that Amazon's documents show is not", () => {
    assert.deepEqual(inspect(["AKIA", "IOSFODNN7", "EXAMPLE"].join("")), []);
  });
});

test("an OpenAI key of the old form and a Mailchimp key are found by what stands inside them", () => {
  assert.deepEqual(
    inspect(`"sk-${some(20)}${["T3Blbk", "FJ"].join("")}${some(20)}"`).map(({ rule }) => rule),
    ["token-openai"],
  );
  assert.deepEqual(
    inspect(`"${some(32, hexDigits)}-us21"`).map(({ rule }) => rule),
    ["token-mailchimp"],
  );
});
