import { readFileSync } from "node:fs";
import { connect } from "node:tls";

/** Sends a request so many times over some TLS connections, each once its last was answered: `port total connections file`. */

const [port = 0, total = 0, connections = 8] = process.argv.slice(2, 5).map(Number);
const request = readFileSync(process.argv[5] ?? "");
let left = total;

function load(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    let received = "";
    const next = (): void => {
      if (left-- > 0) socket.write(request);
      else socket.end(resolve);
    };
    socket.setEncoding("latin1");
    socket.once("secureConnect", next);
    socket.once("error", reject);
    socket.on("data", (text: string) => {
      received += text;
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: ([0-9]+)/i.exec(received.slice(0, end))?.[1]);
      if (!received.startsWith("HTTP/1.1 200") || !(length >= 0))
        return void socket.destroy(new Error(received.slice(0, 100)));
      if (received.length < end + 4 + length) return;
      received = "";
      next();
    });
  });
}

await Promise.all(Array.from({ length: connections }, load));
