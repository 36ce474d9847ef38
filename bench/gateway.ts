import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { compare, has, nodeServer, wrkLoad } from "./harness.ts";
import type { Peer, PeerResult } from "./harness.ts";
import { canCount, countByCallgrind } from "./instructions.ts";
import type { Suite } from "./run.ts";

/** An API call with every policy on and a token that was seen before, over TLS 1.3. PERFORMANCE.md, B. */
export const gateway: Suite = async ({ folder, seconds, say }) => {
  if (!has("wrk")) {
    say("wrk is not installed: the gateway is not measured. On Debian: apt-get install wrk");
    return [];
  }
  const { jwk, script, request } = await makeLoad(folder);
  const env = { BENCH_FOLDER: folder, BENCH_JWK: jwk };
  const names = ["node:https echo", "curtainwall", "curtainwall, edge alone", "fastify", "express", "hono"];
  const peers: Peer[] = names.map((name) => ({ name, command: commandOf(name), env }));
  const rounds = Math.max(3, Math.floor(seconds / peers.length / 1.2));
  const load = wrkLoad("/api/contact", script);
  const measured = await compare({ title: "API", peers, load, rounds, say });
  if (!canCount())
    say("valgrind is not installed: instructions are not counted. On Debian: apt-get install valgrind");
  const results: PeerResult[] = [];
  for (const [index, result] of measured.entries()) {
    const peer = peers[index];
    const isCounted = peer !== undefined && canCount() && /curtainwall|node:/.test(peer.name);
    if (isCounted) say(`API: counting the instructions of ${peer.name}`);
    const instructions = isCounted ? await countByCallgrind(peer, request, folder) : undefined;
    results.push(instructions === undefined ? result : { ...result, instructionsK: instructions / 1000 });
  }
  return [
    {
      title:
        "POST of JSON, EdDSA token seen before, limit, Zod, CORS, TLS 1.3, HTTP/1.1, 64 connections (instructions: outside the kernel)",
      results,
    },
  ];
};

/** Ours runs as `curtainwall start` runs it: without code from strings, which Zod would make use of. */
function commandOf(name: string): string[] {
  const [node = "", ...rest] = nodeServer("servers/api.ts", name);
  return name.startsWith("curtainwall")
    ? [node, "--disallow-code-generation-from-strings", ...rest]
    : [node, ...rest];
}

/** A token, the key that it is verified with, and the request, as wrk wants it and as it is sent. */
async function makeLoad(folder: string): Promise<{ jwk: string; script: string; request: string }> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  const token = await new SignJWT({
    sub: "7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11",
    client_id: "shop",
    jti: "1",
  })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "bench" })
    .setIssuer("https://login.example/")
    .setAudience("https://localhost/api")
    .setIssuedAt()
    .setExpirationTime("2h")
    .sign(privateKey);
  const body = JSON.stringify({
    name: "Ada Baker",
    email: "ada@baker.example",
    topic: "order",
    message:
      "Two loaves of rye for Saturday, please, sliced, and one of the walnut if there is any left. ".repeat(
        2,
      ),
  });
  const script = join(folder, "contact.lua");
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.body = '${body}'
wrk.headers["content-type"] = "application/json"
wrk.headers["origin"] = "https://shop.example"
wrk.headers["authorization"] = "Bearer ${token}"
`,
  );
  const jwk = { ...(await exportJWK(publicKey)), kid: "bench", alg: "EdDSA", use: "sig" };
  const lines = [
    "POST /api/contact HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    "origin: https://shop.example",
    `authorization: Bearer ${token}`,
    `content-length: ${body.length}`,
  ];
  return { jwk: JSON.stringify(jwk), script, request: `${lines.join("\r\n")}\r\n\r\n${body}` };
}
