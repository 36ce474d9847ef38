import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { bearer, fn, secret } from "../../contract/index.ts";
import type { UseText } from "../../contract/index.ts";
import { makeVault, openEgress } from "../fixtures/open-egress.ts";
import { startService } from "../fixtures/service.ts";

const program = findWorkerd();
const skip = program === undefined ? "workerd is not installed" : false;

function findWorkerd(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}/package.json`,
    );
    const path = join(dirname(manifest), "bin", "workerd");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

const worker = `export default {
  async fetch(request) {
    const answers = [];
    for (const [target, init] of await request.json()) {
      try {
        const response = await fetch(target, { redirect: "follow", ...init });
        answers.push(response.status + " " + (await response.text()));
      } catch (error) {
        answers.push(error.name);
      }
    }
    return Response.json(answers);
  },
};`;

const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "quotes", worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      compatibilityDate = "2026-07-01",
      globalOutbound = "egress")),
    (name = "egress", external = (
      address = "unix:EGRESS",
      http = (style = proxy, injectRequestHeaders = [(name = "x-curtainwall-function", value = "quotes")]))),
    (name = "internet", network = (allow = [], deny = ["0.0.0.0/0", "::/0"])),
  ],
  sockets = [(name = "main", address = "unix:LISTEN", http = (), service = "quotes")],
);`;

/** A real function in a real workerd, whose only way out is egress. Gives what its requests came to. */
async function runFunction(
  t: TestContext,
  egressPath: string,
  requests: readonly [target: string, init?: object][],
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "cw-workerd-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const listen = join(folder, "w");
  writeFileSync(join(folder, "index.js"), worker);
  writeFileSync(join(folder, "c.capnp"), config.replace("EGRESS", egressPath).replace("LISTEN", listen));
  const child = spawn(program ?? "", ["serve", "--control-fd=3", join(folder, "c.capnp")], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
    env: {},
  });
  t.after(() => child.kill("SIGKILL"));
  // It says when it listens.
  await new Promise((resolve) => child.stdio[3]?.once("data", resolve));
  return new Promise((resolve, reject) => {
    request({ socketPath: listen, method: "POST", headers: { host: "f" } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve(JSON.parse(text) as string[]));
    })
      .on("error", reject)
      .end(JSON.stringify(requests));
  });
}

test(
  "a function in workerd reaches what it may and nothing else, whatever it says of itself",
  { skip },
  async (t) => {
    const service = await startService(t, ({ line }, response) => {
      if (line.endsWith("/v1/away")) response.writeHead(302, { location: "/admin" }).end();
      else response.end("ok");
    });
    const { origin } = service;
    const { path, events } = await openEgress(
      t,
      {
        functions: { quotes: {} },
        secrets: {
          KEY: secret({
            use: [`GET ${origin}/v1/*`, `POST ${origin}/v1/mail`] as UseText[],
            by: fn("quotes"),
            inject: bearer(),
          }),
        },
      },
      { vault: makeVault({ KEY: "key-of-nobody-0123456789" }) },
    );
    const refused = (code: string): string => `403 {"error":{"code":"${code}"}}`;
    const answers = await runFunction(t, path, [
      [`${origin}/v1/quotes?city=Bergen%20Nord&b=%C3%A9`],
      [`${origin}/v1/${encodeURIComponent("blåbær søt")}`],
      [`${origin}/v1/mail`, { method: "POST", body: JSON.stringify({ a: 1 }) }],
      [`${origin}/v1/x/%2e%2e/quotes`],
      [
        `${origin}/v1/quotes`,
        { headers: { "x-curtainwall-function": "other", authorization: "mine", cookie: "a=b" } },
      ],
      [`${origin}/v1/quotes`, { headers: { host: "evil.example" } }],
      [`${origin}/v1/quotes`, { method: "DELETE" }],
      [`${origin}/v1/..%2fadmin`],
      [`${origin}/admin`],
      [`${origin}/v1/away`],
      ["https://evil.example/"],
      [origin.replace("https", "http")],
      [`${origin}/v1/quotes`, { headers: { upgrade: "websocket" } }],
    ]);
    assert.deepEqual(answers, [
      "200 ok",
      "200 ok",
      "200 ok",
      "200 ok",
      "200 ok",
      refused("EGRESS_HEADERS_REFUSED"),
      refused("EGRESS_USE_UNDECLARED"),
      refused("EGRESS_TARGET_REFUSED"),
      refused("EGRESS_USE_UNDECLARED"),
      refused("EGRESS_USE_UNDECLARED"),
      refused("EGRESS_USE_UNDECLARED"),
      refused("EGRESS_TARGET_REFUSED"),
      refused("EGRESS_PROTOCOL_REFUSED"),
    ]);
    assert.ok(
      service.asked.every(({ headers }) => headers.authorization === "Bearer key-of-nobody-0123456789"),
    );
    assert.ok(service.asked.every(({ headers }) => headers.host === origin.slice("https://".length)));
    assert.deepEqual(
      new Set(
        events
          .filter(({ type }) => type === "egress.used")
          .map((event) => (event as { caller?: string }).caller),
      ),
      new Set(["fn:quotes"]),
    );
  },
);
