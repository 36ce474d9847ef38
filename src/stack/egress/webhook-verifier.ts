import { Agent, request as sendRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import {
  routeHeader,
  readWebhookVerdict,
  webhookCheckPath,
  webhookHeaders,
  webhookSettlePath,
} from "../../egress/index.ts";
import type { SignatureVerdict, SignedRequest, WebhookVerifier } from "../../gateway/index.ts";

/** Asks egress about webhooks; made by {@link createWebhookVerifier}. */
export interface EgressWebhookVerifier extends WebhookVerifier {
  close(): void;
}

/** Longest answer that is read. */
const maxAnswerBytes = 4096;
const maxSockets = 64;
/** Questions at once; more than that wait for nobody. */
const maxAsked = 1000;

const broken: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE"]);

const away: SignatureVerdict = { kind: "unavailable", reason: "egress does not answer" };

/** Lets the edge ask egress, which has the keys, whether a webhook is its sender's. Whatever goes wrong on the way, it is not genuine. */
export function createWebhookVerifier({
  socketPath,
  timeoutMs = 5000,
}: {
  /** The socket that the edge reaches egress by. */
  readonly socketPath: string;
  /** How long a verdict may take. Default 5 000. */
  readonly timeoutMs?: number;
}): EgressWebhookVerifier {
  const agent = new Agent({ keepAlive: true, maxSockets, scheduling: "lifo" });
  let asked = 0;

  async function post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
  ): Promise<unknown> {
    // A connection that was kept may end just as it is used again; both questions may be asked twice.
    const attempt = (): Promise<unknown> => exchange({ agent, socketPath, path, headers, timeoutMs }, body);
    try {
      return await attempt();
    } catch (error) {
      if (!broken.has((error as { code?: string }).code)) throw error;
      return attempt();
    }
  }

  async function ask({ route, header, body }: SignedRequest): Promise<SignatureVerdict> {
    const headers: Record<string, string> = { [routeHeader]: encodeURIComponent(route) };
    for (const name of webhookHeaders) {
      const value = header(name);
      if (value !== undefined) headers[name] = value;
    }
    const verdict = readWebhookVerdict(await post(webhookCheckPath, headers, body));
    if (verdict === undefined) return away;
    return verdict.kind === "genuine"
      ? { kind: "genuine", settle: (isTaken) => settle(verdict.ticket, isTaken) }
      : verdict;
  }

  /** Egress that was started again meanwhile has noted what is under way. */
  async function settle(ticket: string, isTaken: boolean): Promise<void> {
    await post(webhookSettlePath, {}, Buffer.from(JSON.stringify({ ticket, isTaken })));
  }

  return {
    async verify(signed) {
      if (asked >= maxAsked) return { kind: "unavailable", reason: "too many wait for egress" };
      asked++;
      try {
        return await ask(signed);
      } catch {
        return away;
      } finally {
        asked--;
      }
    },
    close: () => agent.destroy(),
  };
}

interface Exchange {
  readonly agent: Agent;
  readonly socketPath: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Resolves with the answer's JSON, or undefined for 204. */
function exchange(
  { agent, socketPath, path, headers, timeoutMs }: Exchange,
  body: Uint8Array,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const length = { "content-length": body.length };
    const request: ClientRequest = sendRequest(
      { agent, socketPath, path, method: "POST", headers: { ...headers, ...length }, setHost: false },
      (response) => readAnswer(response).then(resolve, reject),
    );
    const timer = setTimeout(() => request.destroy(new Error("no answer in time")), timeoutMs);
    request.once("close", () => clearTimeout(timer));
    request.once("error", reject);
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const part of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += part;
    if (text.length > maxAnswerBytes) throw new Error("its answer is too long");
  }
  if (response.statusCode === 204) return undefined;
  if (response.statusCode !== 200) throw new Error(`it answers ${response.statusCode}`);
  return JSON.parse(text);
}
