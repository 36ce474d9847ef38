import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A call of the API, as wrk wants it and as it is sent. */
export interface ApiLoad {
  /** Public key that the tokens are verified with, as JSON. */
  readonly jwk: string;
  /** wrk's script: one token that all requests bring. */
  readonly warm: string;
  /** wrk's script: no token comes a second time before the verifier has forgotten it. */
  readonly cold: string;
  readonly request: string;
}

/** More than a verifier remembers, so that none is known any more when its turn comes again. */
const coldTokens = 12_000;

const body = JSON.stringify({
  name: "Ada Baker",
  email: "ada@baker.example",
  topic: "order",
  message:
    "Two loaves of rye for Saturday, please, sliced, and one of the walnut if there is any left. ".repeat(2),
});

/** Makes tokens, scripts and the request. @param folder where the scripts are written */
export function makeApiLoad(folder: string): ApiLoad {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "EdDSA", use: "sig" };
  const key = createPrivateKey({ key: privateKey.export({ format: "jwk" }), format: "jwk" });
  const token = makeToken(key, 0);
  const warm = join(folder, "warm.lua");
  writeFileSync(warm, `${plainScript}wrk.headers["authorization"] = "Bearer ${token}"\n`);
  const tokens = join(folder, "tokens.txt");
  writeFileSync(
    tokens,
    Array.from({ length: coldTokens }, (_, index) => `${makeToken(key, index + 1)}\n`).join(""),
  );
  const cold = join(folder, "cold.lua");
  writeFileSync(cold, plainScript + coldScript(tokens));
  const lines = [
    "POST /api/contact HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    "origin: https://shop.example",
    `authorization: Bearer ${token}`,
    `content-length: ${body.length}`,
  ];
  return { jwk: JSON.stringify(jwk), warm, cold, request: `${lines.join("\r\n")}\r\n\r\n${body}` };
}

const plainScript = `wrk.method = "POST"
wrk.body = '${body}'
wrk.headers["content-type"] = "application/json"
wrk.headers["origin"] = "https://shop.example"
`;

/**
 * Each run goes on where the last one of the same server ended: wrk is started anew for each round. By server, since what another one was sent
 * this one has not forgotten.
 */
const coldScript = (tokens: string): string => `
local threads = {}
local requests = {}
at = 0
file = ""
setup = function(thread) threads[#threads + 1] = thread end
init = function(args)
  for token in io.lines("${tokens}") do
    wrk.headers["authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format()
  end
  file = "${tokens}." .. wrk.port
  local place = io.open(file, "r")
  if place then
    at = tonumber(place:read("*a"))
    place:close()
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency, requests)
  local place = io.open(threads[1]:get("file"), "w")
  place:write(string.format("%d", threads[1]:get("at")))
  place:close()
end
`;

function makeToken(key: KeyObject, jti: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://login.example/",
    aud: "https://localhost/api",
    sub: "7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11",
    client_id: "shop",
    jti: String(jti),
    iat: now,
    exp: now + 7200,
  };
  const signed = [{ alg: "EdDSA", typ: "at+jwt", kid: "bench" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}
