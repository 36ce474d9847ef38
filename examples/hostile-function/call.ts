import { Agent, request } from "node:https";

/** An answer of the stack's. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What runs a function. */
export type Runner = "workerd" | "node";

/** Asks functions for what they are here for. */
export interface Call {
  /** Asks a thief for an attempt. */
  attempt(runner: Runner, name: string): Promise<Answer>;
  /** Asks one of the wasters, 1 to 5, for an excess. */
  excess(runner: Runner, waster: number, name: string): Promise<Answer>;
  /** Asks their neighbour how it is. */
  neighbour(): Promise<Answer>;
}

/** Calls the API of a stack, as a browser would. */
export function createCaller(origin: string, ca: string): Call {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 4 });
  const send = (method: string, path: string, body?: string): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request(new URL(path, origin), { agent, method, headers, timeout: 30_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error(`${method} ${path} took more than 30 s`)));
    sent.end(body);
    return promise;
  };
  const post = (path: string, name: string): Promise<Answer> => send("POST", path, JSON.stringify({ name }));
  return {
    attempt: (runner, name) => post(`/api/${runner}/attempts`, name),
    excess: (runner, waster, name) => post(`/api/${runner}/waster-${waster}`, name),
    neighbour: () => send("GET", "/api/neighbour"),
  };
}
