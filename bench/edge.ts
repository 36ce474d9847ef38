import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { compare, has, nodeServer, scriptLoad, wrkLoad } from "./harness.ts";
import type { Peer } from "./harness.ts";
import type { Suite, Table } from "./run.ts";
import { benchCertificate, page, pageHeaders } from "./servers/page.ts";

/** Static files: our edge, and what else one would serve them with, over TLS 1.3. PERFORMANCE.md, A. */
export const edge: Suite = async ({ folder, seconds, say }) => {
  const nginx = has("nginx") ? [await nginxPeer(folder)] : [];
  if (nginx.length === 0) say("nginx is not installed: left out.");
  const http1 = [
    "node:https",
    "curtainwall",
    "sirv",
    "express + helmet",
    "fastify + helmet",
    "hono + node-server",
  ];
  const http2 = ["node:http2", "curtainwall", "node:http2 (compat)"];
  const env = { BENCH_FOLDER: folder };
  const peer = (name: string): Peer => ({ name, command: nodeServer("servers/static.ts", name), env });
  // A round takes each a second; the warm-up comes on top.
  const count = http1.length + http2.length + 2 * nginx.length;
  const rounds = Math.max(3, Math.floor(seconds / count / 1.2));
  const tables: Table[] = [];
  if (has("wrk")) {
    const peers = [...http1.map(peer), ...nginx];
    const results = await compare({ title: "HTTP/1.1", peers, load: wrkLoad("/"), rounds, say });
    tables.push({ title: "Static page of 10 KB, TLS 1.3, HTTP/1.1, 64 connections", results });
  } else {
    say("wrk is not installed: HTTP/1.1 is not measured. On Debian: apt-get install wrk");
  }
  const load = scriptLoad("load-http2.ts", "8", "8");
  const results = await compare({
    title: "HTTP/2",
    peers: [...http2.map(peer), ...nginx],
    load,
    rounds,
    say,
  });
  tables.push({ title: "Static page of 10 KB, TLS 1.3, HTTP/2, 8 sessions of 8 requests", results });
  return tables;
};

/** One worker, from a file that its cache keeps open, with the same headers. */
async function nginxPeer(folder: string): Promise<Peer> {
  const port = await freePort();
  process.env["BENCH_FOLDER"] = folder;
  const { cert, key } = await benchCertificate();
  const file = (name: string) => join(folder, name);
  writeFileSync(file("nginx-cert.pem"), cert);
  writeFileSync(file("nginx-key.pem"), key, { mode: 0o600 });
  writeFileSync(file("index.html"), page);
  const headers = pageHeaders
    .filter(([name]) => name !== "content-type")
    .map(([name, value]) => `add_header ${name} "${value.replaceAll('"', '\\"')}" always;`);
  writeFileSync(
    file("nginx.conf"),
    `daemon off; worker_processes 1; pid ${file("nginx.pid")}; error_log stderr crit; user root;
events { worker_connections 1024; }
http {
  access_log off; server_tokens off; keepalive_requests 1000000; sendfile on; tcp_nopush on;
  types { text/html html; } charset utf-8; open_file_cache max=10;
  client_body_temp_path ${file("body")}; proxy_temp_path ${file("proxy")}; fastcgi_temp_path ${file("fastcgi")};
  uwsgi_temp_path ${file("uwsgi")}; scgi_temp_path ${file("scgi")};
  server {
    listen 127.0.0.1:${port} ssl http2; ssl_protocols TLSv1.3; root ${folder};
    ssl_certificate ${file("nginx-cert.pem")}; ssl_certificate_key ${file("nginx-key.pem")};
    ${headers.join("\n    ")}
  }
}
`,
  );
  // It says nothing when it is ready; it is by the time that the next line is read.
  const script = `nginx -c ${file("nginx.conf")} & echo $! > ${file("nginx.started")}; until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do :; done; echo ready ${port}; trap 'kill $(cat ${file("nginx.started")})' TERM; wait`;
  return { name: "nginx", command: ["bash", "-c", script] };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
