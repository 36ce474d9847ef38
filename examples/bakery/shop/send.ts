import type { ServerResponse } from "node:http";
import type { ShopAnswer, ShopEvents } from "./routes.ts";

/** Sends an answer: JSON, a file, or events until whoever listens has gone. */
export function send(response: ServerResponse, answer: ShopAnswer): void {
  if ("listen" in answer) return sendEvents(response, answer);
  if ("lie" in answer) return answer.lie(response);
  const [type, text] =
    "file" in answer
      ? ["text/plain; charset=utf-8", answer.file]
      : ["application/json; charset=utf-8", JSON.stringify(answer.body)];
  response.writeHead("file" in answer ? 200 : answer.status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control":
      "file" in answer || answer.keepSeconds === undefined ? "no-store" : `max-age=${answer.keepSeconds}`,
  });
  response.end(text);
}

function sendEvents(response: ServerResponse, { listen }: ShopEvents): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const stop = listen((name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
  response.on("close", stop);
}
