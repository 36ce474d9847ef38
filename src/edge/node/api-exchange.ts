import type { Readable } from "node:stream";
import type { ApiAnswer, ApiHandler, ApiRequest } from "../api.ts";
import type { ApiTarget } from "../resolve.ts";
import { BodyReader, declaredLength } from "./body-reader.ts";
import type { BodyDone } from "./body-reader.ts";
import type { Client } from "./client.ts";
import type { EdgeContext } from "./context.ts";

const nothing = new Uint8Array(0);

/** Hands a request over to the API, and answers for it if that throws. */
export function handOver(api: ApiHandler, exchange: ApiExchange): void {
  exchange.context.pending++;
  try {
    api.handle(exchange, (answer) => exchange.respond(answer));
  } catch (error) {
    exchange.fail(error);
  }
}

/** One request to the API and its answer: what is the same on both protocols. */
export abstract class ApiExchange implements ApiRequest {
  readonly context: EdgeContext;
  readonly client: Client;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly connection: object;
  /** Set once somebody reads the body. */
  protected reader: BodyReader | undefined;
  #answered = false;

  constructor(context: EdgeContext, client: Client, address: string, method: string, target: ApiTarget) {
    this.context = context;
    this.client = client;
    this.method = method;
    this.path = target.path;
    this.query = target.query;
    this.remoteAddress = address;
    this.connection = client;
  }

  abstract readonly hasBody: boolean;
  abstract header(name: string): string | undefined;
  /** What the body is read from. */
  protected abstract readonly source: Readable;
  /** Tells the client to send the body that it holds back. */
  protected abstract askForBody(): void;
  /** Ends a client that goes on sending what nobody wants. */
  protected abstract cut(): void;
  /** Calls `listener` when no answer can be sent any more, because the client has gone or because it was sent. */
  protected abstract onClosed(listener: () => void): void;
  /** Sends an answer if one can be sent still. Throws if it is one that can't be sent. */
  protected abstract send(answer: ApiAnswer): void;
  /** Sends a bare 500, or cuts an answer that was begun. */
  protected abstract sendFailure(): void;

  readBody(maxBytes: number, done: BodyDone): void {
    const declared = declaredLength(this.header("content-length"));
    if (declared === 0 || !this.hasBody) {
      done(undefined, nothing);
      return;
    }
    // Only now that somebody wants the body is the client told to send it.
    if ((declared === undefined || declared <= maxBytes) && this.header("expect") !== undefined)
      this.askForBody();
    this.reader = new BodyReader(this.context, this.source, {
      remoteAddress: this.remoteAddress,
      maxBytes,
      declared,
      done,
      cut: () => this.cut(),
    });
  }

  onAbort(listener: () => void): void {
    this.onClosed(() => {
      if (!this.#answered) listener();
    });
  }

  respond(answer: ApiAnswer): void {
    if (!this.#settle()) return;
    try {
      this.send(answer);
    } catch (error) {
      this.#report(error);
    }
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#report(error);
  }

  /** Whether this is the first answer: no other is sent. */
  #settle(): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    this.context.pending--;
    return true;
  }

  #report(error: unknown): void {
    const detail = error instanceof Error ? error.name : "unknown";
    const { context, remoteAddress } = this;
    context.onEvent({ kind: "api-failed", remoteAddress, status: 500, detail });
    this.sendFailure();
  }
}
