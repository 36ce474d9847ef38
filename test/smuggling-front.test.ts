// The same tricks through a real HAProxy and a real nginx in front, which keep connections to the edge open and send the requests of several clients
// over one: had the edge and the proxy another idea of where a request ends, the next client would get somebody else's answer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { host } from "../src/edge/node/test-edge.ts";
import { startGuardedApi } from "./support/guarded-api.ts";
import { groups, routes } from "./support/http1-tricks.ts";
import { requires } from "./requires.ts";

interface Front {
  readonly program: "haproxy" | "nginx";
  configure(folder: string, socket: string, port: number): string;
  run(file: string, folder: string): string[];
}

const fronts: Front[] = [
  {
    program: "haproxy",
    configure: (_, socket, port) => `
global
  maxconn 200
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 1s
  timeout server 5s
  http-reuse always
frontend front
  bind unix@${socket} mode 666
  default_backend edge
backend edge
  server edge 127.0.0.1:${port} ssl verify none sni str(${host}) alpn http/1.1
`,
    run: (file) => ["-db", "-f", file],
  },
  {
    program: "nginx",
    configure: (folder, socket, port) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 200; }
http {
  access_log off;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  client_header_timeout 1s;
  client_body_timeout 1s;
  upstream edge { server 127.0.0.1:${port}; keepalive 1; }
  server {
    listen unix:${socket};
    location / {
      proxy_pass https://edge;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_ssl_server_name on;
      proxy_ssl_name ${host};
      proxy_ssl_protocols TLSv1.3;
    }
  }
}
`,
    run: (file, folder) => ["-c", file, "-p", folder],
  },
];

for (const front of fronts) {
  const program = requires(front.program);
  test(
    `behind ${front.program} nobody gets an answer that is meant for somebody else, whatever was sent before`,
    program,
    async (t) => {
      const api = await startGuardedApi(t, routes);
      api.upstream.answer = ({ target }, response) => {
        const n = new URL(target, "http://shop").searchParams.get("n") ?? undefined;
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ok: true, n }));
      };
      const socket = await startFront(t, front, program.path, api.port);
      assert.equal(await askAs("first", socket), "first");

      let number = 0;
      for (const trick of Object.values(groups).flat()) {
        const attacker = connect(socket);
        attacker.on("error", () => undefined);
        attacker.end(Buffer.from(trick.sent, "latin1"));
        await Promise.race([once(attacker, "data"), once(attacker, "close")]);
        for (let victim = 0; victim < 2; victim++) {
          const name = `v${++number}`;
          assert.equal(await askAs(name, socket), name, trick.name);
        }
        attacker.destroy();
      }
      // Whoever asked, asked what it said: no method or target was made of the inside of another request.
      const odd = api.upstream.seen.filter(
        ({ method, target }) => !/^(GET|POST) \/api\/(read|write)(\?n=\w+)?$/.test(`${method} ${target}`),
      );
      assert.deepEqual(
        odd.map(({ method, target }) => `${method} ${target}`),
        onItsOwn(odd.length),
      );
      assert.deepEqual(api.upstream.unreadable, []);
    },
  );
}

/** What was hidden behind a request that the proxy read whole is a request of its own to it, and sent on as one: no trick. */
const onItsOwn = (count: number): string[] => Array.from({ length: count }, () => "DELETE /api/read");

async function startFront(t: TestContext, front: Front, path: string, port: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-front-"));
  chmodSync(folder, 0o777);
  const socket = join(folder, "front.sock");
  const file = join(folder, "front.conf");
  writeFileSync(file, front.configure(folder, socket, port));
  const child = spawn(path, front.run(file, folder), { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  while (!(await canConnect(socket)))
    if (child.exitCode !== null) throw new Error(`${front.program}: ${said}`);
  return socket;
}

async function canConnect(path: string): Promise<boolean> {
  const socket = connect(path);
  const isOpen = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}

/** Makes one request by its own name, and returns the name that comes back. */
async function askAs(name: string, path: string): Promise<string> {
  const socket: Socket = connect(path);
  socket.write(`GET /api/read?n=${name} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("latin1");
  return /"n":"(\w+)"/.exec(text)?.[1] ?? text.slice(0, 200);
}
