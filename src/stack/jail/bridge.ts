// Runs inside a jail: makes its one way out, a Unix socket, look like the proxy that programs expect, then runs the build.
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { constants } from "node:os";

const [gate = "", command = ""] = process.argv.slice(2);

const server = createServer((client) => {
  const way = connect(gate);
  client.pipe(way).pipe(client);
  client.on("error", () => way.destroy());
  way.on("error", () => client.destroy());
});

if (gate === "") run({});
else {
  server.listen(0, "127.0.0.1", () => {
    const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    run({
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      http_proxy: proxy,
      https_proxy: proxy,
      // Node's own fetch and https look at the variables above only then.
      NODE_USE_ENV_PROXY: "1",
    });
  });
}

function run(proxy: Readonly<Record<string, string>>): void {
  const child = spawn("/bin/sh", ["-c", command], { stdio: "inherit", env: { ...process.env, ...proxy } });
  child.once("error", () => process.exit(127));
  // All else in the jail ends with this process.
  child.once("exit", (code, signal) =>
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
  );
}
