import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { transform } from "esbuild";
import { requires } from "../../../test/requires.ts";
import { defineStack, everyone, parseContract, signedIn, upstream } from "../../contract/index.ts";
import type { AuditCheck, AuditRow } from "../report.ts";
import { faultOf, faultTexts } from "./faults.ts";
import { findMends } from "./mends.ts";
import type { AuditMend } from "./mends.ts";
import { recogniseFrameworks } from "./recognise.ts";
import type { AppFacts, Framework } from "./recognise.ts";
import { mendSettings } from "./settings.ts";
import { z } from "zod";

const run = promisify(execFile);

const contract = parseContract(
  defineStack({
    origin: "https://www.example.com",
    cors: { origins: ["https://app.example.com"] },
    identity: { issuer: "https://login.example.com/", audience: "shop" },
    upstreams: { shop: upstream({ url: "https://shop.example.com" }) },
    routes: {
      "GET /api/a.b/:id": {
        access: signedIn,
        limit: "10/min per client",
        params: { id: z.uuid() },
        response: z.object({}),
        to: "shop",
      },
      "POST /api/notes": {
        access: everyone,
        limit: "5/s per client",
        body: z.object({ text: z.string().max(10) }),
        maxBodyBytes: 2048,
        response: z.object({}),
        to: "shop",
      },
    },
  }),
);
const settings = mendSettings(contract);

/** A failed check for each fault, by which the others are found too. */
const failures: readonly (readonly [row: string, check: string])[] = [
  ["API-1", "alg:none"],
  ["API-1", "lower role"],
  ["API-1", "an undeclared path is 404, an undeclared method 405"],
  ["API-2", "burst of N + 1"],
  ["API-2", "slow body"],
  ["API-3", "extra keys"],
  ["API-3", "depth"],
  ["API-3", "what says twice for whom it is, or from whom, is refused"],
  ["API-5", "credentials"],
  ["API-7", "a bad request is never a 5xx"],
  ["API-7", "planted canaries stay inside"],
  ["API-8", "HSTS"],
  ["FE-4", "404, a page (HTTP/1.1)"],
  ["SEC-2", "none is served"],
];

const rowsOf = (state: AuditCheck["state"]): AuditRow[] =>
  failures.map(([id, name]) => ({
    id,
    title: id,
    verdict: "failed",
    ran: 1,
    of: 1,
    failed: 1,
    notApplicable: 0,
    checks: [{ name, kind: "live", state, observations: 1, evidence: [], reproduce: "" }],
  }));

const mendsFor = (...names: Framework[]): AuditMend[] =>
  findMends(
    rowsOf("failed"),
    names.map((name) => ({ name, because: "a test says so" })),
    settings,
  );

const frameworks: readonly Framework[] = [
  "Next.js",
  "NestJS",
  "Astro",
  "Fastify",
  "Hono",
  "Express",
  "nginx",
  "Caddy",
  "Node.js",
];

suite("mends", () => {
  test("each fault has a check that finds it, and each of those names that fault", () => {
    assert.deepEqual(
      new Set(failures.map(([row, check]) => faultOf(row, check))),
      new Set(Object.keys(faultTexts)),
    );
  });

  test("what passed, or could not be looked at, asks for no mend", () => {
    const express = [{ name: "Express", because: "" }] as const;
    assert.deepEqual(findMends(rowsOf("passed"), express, settings), []);
    assert.deepEqual(findMends(rowsOf("missing"), express, settings), []);
  });

  test("a declaration, a release or a browser that fails is no matter of an app's lines", () => {
    for (const [row, check] of [
      ["API-3", "a schema for every input"],
      ["FE-2", "csp_evaluator finds nothing high"],
      ["SEC-2", "none is tracked"],
      ["SEC-5", "anything"],
    ] as const)
      assert.equal(faultOf(row, check), undefined, check);
  });

  test("Express and plain Node have a mend for every fault; a server in front has those of its own", () => {
    assert.equal(mendsFor("Express").length, failures.length);
    assert.equal(mendsFor("Node.js").length, failures.length);
    const both = mendsFor("Next.js", "nginx");
    const by = (name: string): string | undefined =>
      both.find(({ checks }) => checks.some((check) => check.name === name))?.framework;
    assert.equal(by("alg:none"), "Next.js");
    assert.equal(by("burst of N + 1"), "nginx", "limits are what Next.js has nothing for");
  });

  test("their values are the contract's", () => {
    const codes = mendsFor("Express")
      .map(({ code }) => code)
      .join("\n");
    for (const value of ["https://login.example.com/", '"shop"', "https://app.example.com", "limit: 2048"])
      assert.ok(codes.includes(value), value);
    assert.match(codes, /app\.get\("\/api\/a\.b\/:id", limited\(10, 60000\)\)/);
    const ofNode = mendsFor("Node.js")
      .map(({ code }) => code)
      .join("\n");
    assert.ok(ofNode.includes(String.raw`["GET", /^\/api\/a\.b\/[^\/]+$/, createLimit(10, 60000)]`));
  });

  for (const name of frameworks.filter((one) => one !== "nginx" && one !== "Caddy"))
    test(`every mend for ${name} is code that parses`, async () => {
      for (const { code, says } of mendsFor(name))
        await assert.doesNotReject(transform(code, { loader: "ts", format: "esm", target: "esnext" }), says);
    });

  test("with its mend a server on Node refuses who says twice whom it is for, and serves who says it once", async (context) => {
    const { code = "" } = mendsFor("Node.js").find(({ says }) => says === faultTexts["sole lines"]) ?? {};
    const saidOnce = runInNewContext(`${code}; saidOnce`) as (listener: RequestListener) => RequestListener;
    const server = createServer(saidOnce((_, response) => response.end("served")));
    context.after(() => server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const ask = async (...lines: string[]): Promise<string> => {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      socket.end(`${lines.join("\r\n")}\r\nconnection: close\r\n\r\n`);
      return (await text(socket)).split("\r\n")[0] ?? "";
    };
    assert.equal(await ask("GET / HTTP/1.1", "host: a", "authorization: x"), "HTTP/1.1 200 OK");
    for (const twice of [
      ["GET / HTTP/1.1", "host: a", "Host: a"],
      ["GET / HTTP/1.1", "host: a", "host: b"],
      ["GET / HTTP/1.1", "host: a", "authorization: x", "Authorization: y"],
      ["GET https://b/ HTTP/1.1", "host: a"],
    ])
      assert.equal(await ask(...twice), "HTTP/1.1 400 Bad Request", twice.join(", "));
  });

  test("nginx takes its mends", requires("nginx"), async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "curtainwall-mends-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const mends = mendsFor("nginx").filter(({ code }) => !code.includes("ssl"));
    const [zones, server] = ["limit_req_zone", ""].map((start) =>
      mends
        .flatMap(({ code }) => code.split("\n"))
        .filter((line) => line.startsWith("limit_req_zone") === (start !== ""))
        .join("\n"),
    );
    const file = join(folder, "nginx.conf");
    writeFileSync(
      file,
      `pid ${folder}/pid; error_log ${folder}/log; events {}\nhttp { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e; ${zones}\nserver { listen 127.0.0.1:1;\n${server}\n} }\n`,
    );
    const { stderr } = await run(requires("nginx").path, ["-t", "-c", file, "-p", folder]);
    assert.match(stderr, /test is successful/);
  });

  test("Caddy takes its mends", requires("caddy"), async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "curtainwall-mends-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const mends = mendsFor("Caddy");
    const global = mends.filter(({ where }) => where.includes("global"));
    const site = mends.filter((mend) => !global.includes(mend));
    const codes = (list: AuditMend[]): string => list.map(({ code }) => code).join("\n");
    const file = join(folder, "Caddyfile");
    writeFileSync(file, `${codes(global)}\nhttps://localhost:8 {\n${codes(site)}\n}\n`);
    await run(requires("caddy").path, ["adapt", "--config", file, "--adapter", "caddyfile"]);
  });
});

suite("what an app is made with", () => {
  const facts = (more: Partial<AppFacts>): string[] =>
    recogniseFrameworks({ headers: [], packageJson: undefined, files: [], ...more }).map(({ name }) => name);
  const depends = (name: string): string => JSON.stringify({ dependencies: { [name]: "1.0.0" } });

  test("is told by headers, by package.json, or by files", () => {
    assert.deepEqual(facts({ headers: [["x-powered-by", "Express"]] }), ["Express"]);
    assert.deepEqual(facts({ headers: [["server", "nginx/1.29.0"]] }), ["nginx"]);
    assert.deepEqual(facts({ packageJson: depends("fastify") }), ["Fastify"]);
    assert.deepEqual(facts({ packageJson: depends("hono") }), ["Hono"]);
    assert.deepEqual(facts({ files: ["astro.config.mjs"] }), ["Astro"]);
    assert.deepEqual(facts({ files: ["next.config.ts", "Caddyfile"] }), ["Next.js", "Caddy"]);
  });

  test("names a framework before the one that it is made on, and an app before its server", () => {
    const packageJson = JSON.stringify({ dependencies: { "@nestjs/core": "11", express: "5" } });
    assert.deepEqual(facts({ packageJson, headers: [["server", "nginx"]] }), ["NestJS", "Express", "nginx"]);
  });

  test("is Node alone where package.json starts it with node and names nothing else", () => {
    assert.deepEqual(facts({ packageJson: '{"scripts":{"start":"node server.js"}}' }), ["Node.js"]);
    assert.deepEqual(facts({ packageJson: '{"scripts":{"start":"deno run server.ts"}}' }), []);
  });

  test("stays unknown where nothing tells it: no guess, also of a package.json that is none", () => {
    assert.deepEqual(facts({}), []);
    assert.deepEqual(facts({ packageJson: "{" }), []);
    assert.deepEqual(facts({ packageJson: "null" }), []);
    assert.deepEqual(facts({ headers: [["x-powered-by", "PHP/8.4"]] }), []);
  });

  test("is nobody's business where Curtainwall is what answers: its contract is the mend", () => {
    assert.deepEqual(facts({ packageJson: depends("curtainwall"), headers: [["server", "nginx"]] }), []);
  });

  test("a header that acts on a terminal is written out", () => {
    const [found] = recogniseFrameworks({
      headers: [["server", "nginx\u001b[2J"]],
      packageJson: undefined,
      files: [],
    });
    assert.equal(found?.because, "server: nginx\\u{1b}[2J");
  });
});
