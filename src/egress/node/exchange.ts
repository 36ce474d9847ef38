import type { IncomingMessage, ServerResponse } from "node:http";
import { printable } from "../../shared/index.ts";
import { echoesOf } from "../answer/redactor.ts";
import type { EchoMemory } from "../answer/redactor.ts";
import { Refused, statusOf } from "../errors.ts";
import type { EgressRefusal } from "../errors.ts";
import type { HeldValues } from "../held-values.ts";
import type { Injected, RequestInjector } from "../inject/create-injector.ts";
import type { Outgoing } from "../inject/outgoing.ts";
import { foldHeader } from "../policy/fold-names.ts";
import type { Candidates, EgressPolicy, Grant, Permitted } from "../policy/policy.ts";
import { readHeaders } from "../policy/read-headers.ts";
import type { Headers } from "../policy/read-headers.ts";
import { readTarget } from "../policy/read-target.ts";
import type { Target } from "../policy/read-target.ts";
import type { Tally } from "../tally.ts";
import type { SecretValue } from "../types.ts";
import type { Workbench } from "../workbench.ts";
import { AnswerPipe } from "./answer-pipe.ts";
import { drain } from "./drain.ts";
import { answerRefusal } from "./answer-refusal.ts";
import { readBody } from "./read-body.ts";
import type { BodyBudget } from "./read-body.ts";
import type { Service } from "./services.ts";

/** What all exchanges share. */
export interface ExchangeParts {
  readonly policy: EgressPolicy;
  readonly services: ReadonlyMap<string, Service>;
  readonly values: HeldValues;
  /** By secret. */
  readonly injectors: ReadonlyMap<string, RequestInjector>;
  readonly tally: Tally;
  readonly budget: BodyBudget;
  readonly workbench: Workbench;
  readonly elapsed: () => number;
}

/** Goes with the value that it was made for. */
const memories = new WeakMap<SecretValue, EchoMemory>();

function memoryOf(value: SecretValue): EchoMemory {
  const memory = memories.get(value) ?? new Map();
  memories.set(value, memory);
  return memory;
}

const nothingInjected: Injected = { hidden: [], refuse: () => false };

/** One request of a caller, from its first line to the last byte of its answer. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #caller: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #startedAt: number;
  /** Rejects when it is over, whatever is waited for. */
  readonly #over = Promise.withResolvers<never>();
  #origin = "";
  #grant: Grant | undefined;
  #version: number | undefined;
  #pipe: AnswerPipe | undefined;
  #leave: () => void = () => undefined;
  #abortedBy: Refused | undefined;
  #timer: NodeJS.Timeout | undefined;
  #bodyBytes = 0;

  constructor(parts: ExchangeParts, caller: string, request: IncomingMessage, response: ServerResponse) {
    this.#parts = parts;
    this.#caller = caller;
    this.#request = request;
    this.#response = response;
    this.#startedAt = parts.elapsed();
    this.#over.promise.catch(() => undefined);
    response.on("close", () => {
      if (!response.writableFinished) this.abort(new Refused("EGRESS_FAILED", "who asked has gone"));
    });
  }

  /** Ends it, whatever it is at. */
  abort(fault: Refused): void {
    this.#abortedBy ??= fault;
    this.#over.reject(fault);
    this.#pipe?.abort(fault);
  }

  /** Settles once it is over. Never rejects. */
  async run(): Promise<void> {
    try {
      const { target, permitted, headers } = await this.#judge();
      const service = this.#parts.services.get(target.origin) as Service;
      this.#timer = setTimeout(() => this.abort(tooLate), service.origin.timeoutMs);
      await this.#enter(service);
      await this.#carry(service, target, permitted, headers);
    } catch (error) {
      this.#fail(
        error instanceof Refused ? error : new Refused("EGRESS_FAILED", "something went wrong within"),
      );
    } finally {
      clearTimeout(this.#timer);
      this.#parts.budget.give(this.#caller, this.#bodyBytes);
      this.#leave();
    }
  }

  /** Decides whether it may be sent. */
  async #judge(): Promise<{ target: Target; permitted: Permitted; headers: Headers }> {
    const { policy, services } = this.#parts;
    const { method = "", url = "", rawHeaders } = this.#request;
    const target = granted(readTarget(url));
    this.#origin = target.origin;
    const headers = granted(readHeaders(rawHeaders, target.origin.slice("https://".length)));
    if (!policy.knows(this.#caller))
      throw new Refused("EGRESS_CALLER_UNKNOWN", "the contract permits this caller nothing");
    const candidates = granted(policy.find(this.#caller, method, target));
    const { maxRequestBytes } = (services.get(target.origin) as Service).origin;
    const body = await this.#until(readBody(this.#request, maxRequestBytes, (bytes) => this.#take(bytes)));
    const permitted = granted(await this.#decide(candidates, body, headers.get("content-type")));
    this.#grant = permitted.grant;
    if (permitted.isJson) describeJson(headers);
    return { target, permitted, headers };
  }

  /** A body that is read takes the thread from all others: callers take turns. */
  async #decide(
    candidates: Candidates,
    body: Uint8Array | undefined,
    type: string | undefined,
  ): Promise<Permitted | EgressRefusal> {
    const { policy, workbench } = this.#parts;
    if (body === undefined || !candidates.needsBody) return policy.decide(candidates, body, type);
    const { promise, resolve, reject } = Promise.withResolvers<Permitted | EgressRefusal>();
    const work = (): void => {
      try {
        resolve(policy.decide(candidates, body, type));
      } catch (error) {
        reject(error);
      }
    };
    const giveUp = workbench.ask(this.#caller, work, () =>
      reject(new Refused("EGRESS_BUSY", "too many bodies wait to be read")),
    );
    try {
      return await this.#until(promise);
    } finally {
      giveUp();
    }
  }

  #take(bytes: number): boolean {
    this.#bodyBytes += bytes;
    return this.#parts.budget.take(this.#caller, bytes);
  }

  /** Waits for its turn. */
  #enter({ gate }: Service): Promise<void> {
    return this.#until(
      new Promise((resolve, reject) => {
        this.#leave = gate.ask(this.#caller, resolve, () =>
          reject(new Refused("EGRESS_BUSY", "too many requests wait for the service")),
        );
      }),
    );
  }

  /** Sends it, once more with another token if the first was refused. */
  async #carry(service: Service, target: Target, permitted: Permitted, headers: Headers): Promise<void> {
    const { name } = permitted.grant.secret ?? {};
    const value = name === undefined ? undefined : await this.#until(this.#parts.values.get(name));
    this.#version = value?.version;
    const { method = "" } = this.#request;
    for (let isLast = false; ; isLast = true) {
      const outgoing: Outgoing = {
        method,
        origin: target.origin,
        path: target.path,
        query: permitted.query,
        headers: new Map(headers).set("accept-encoding", "identity"),
        body: permitted.body,
      };
      const injected = await this.#inject(name, value, outgoing);
      if (await this.#send(service, outgoing, { injected, value }, isLast)) return;
    }
  }

  #inject(
    name: string | undefined,
    value: SecretValue | undefined,
    outgoing: Outgoing,
  ): Promise<Injected> | Injected {
    if (name === undefined || value === undefined) return nothingInjected;
    const injector = this.#parts.injectors.get(name) as RequestInjector;
    return this.#until(injector.inject(outgoing, value.value));
  }

  /** @returns false if it is to be sent once more */
  async #send(
    { outbound, origin }: Service,
    outgoing: Outgoing,
    { injected, value }: { injected: Injected; value: SecretValue | undefined },
    isLast: boolean,
  ): Promise<boolean> {
    if (!outbound.isKnown()) await this.#until(outbound.load());
    if (!outbound.isKnown())
      throw new Refused("EGRESS_ADDRESS_REFUSED", "its name has no address that it may have");
    if (this.#abortedBy !== undefined) throw this.#abortedBy;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    let status = 0;
    let isPassedOn = true;
    this.#pipe = new AnswerPipe({
      response: this.#response,
      echoes: echoesOf(injected.hidden, value === undefined ? undefined : memoryOf(value)),
      maxBytes: origin.maxResponseBytes,
      onStatus: (given) => {
        status = given;
        isPassedOn = isLast || given !== 401 || !injected.refuse();
        return isPassedOn;
      },
      onEnd: (fault) => {
        if (fault !== undefined) return reject(fault);
        this.#used(status, isPassedOn);
        resolve(isPassedOn);
      },
    });
    outbound.dispatch(outgoing, this.#pipe);
    return promise;
  }

  /** What is waited for, unless it is over before. */
  #until<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#over.promise]);
  }

  #used(status: number, isPassedOn: boolean): void {
    const { tally, elapsed } = this.#parts;
    const about = this.#about();
    // Of a service's last word on a secret it is worth knowing which it was: it may be the value that is wrong. An old token's is not the last.
    const isOnSecret = about.secret !== undefined && isPassedOn && (status === 401 || status === 403);
    const classOf = isOnSecret ? String(status) : `${Math.floor(status / 100)}xx`;
    const tookMs = Math.round((elapsed() - this.#startedAt) * 100) / 100;
    tally.note(`used ${Object.values(about).join(" ")} ${classOf}`, {
      type: "egress.used",
      ...about,
      status: classOf,
      tookMs,
    });
  }

  #fail(fault: Refused): void {
    const { tally } = this.#parts;
    const { code, reason } = fault;
    if (this.#grant === undefined && statusOf(code) === 403) {
      const { method = "" } = this.#request;
      const about = { caller: this.#caller, method, origin: printable(this.#origin, 100), code, reason };
      tally.note(Object.values(about).join(" "), { type: "egress.refused", ...about });
    } else {
      const about = { ...this.#about(), code, reason };
      tally.note(Object.values(about).join(" "), { type: "egress.failed", ...about });
    }
    answerRefusal(this.#response, fault);
    drain(this.#request);
  }

  #about(): {
    caller: string;
    secret: string | undefined;
    version: number | undefined;
    method: string;
    origin: string;
    path: string | undefined;
  } {
    const { method = "" } = this.#request;
    const { secret, pattern } = this.#grant ?? {};
    return {
      caller: this.#caller,
      secret: secret?.name,
      version: this.#version,
      method,
      origin: this.#origin,
      path: pattern,
    };
  }
}

/** Whatever its caller said of it: a coding would make another body of the one that was checked. */
function describeJson(headers: Headers): void {
  for (const name of headers.keys()) if (foldHeader(name).startsWith("content-")) headers.delete(name);
  headers.set("content-type", "application/json");
}

const tooLate = new Refused("EGRESS_SERVICE_TIMEOUT", "there is no full answer in time");

/** What a reader or the policy found, unless that is a refusal. */
function granted<T extends object>(found: T | EgressRefusal): T {
  if ("code" in found && "reason" in found) throw new Refused(found.code, found.reason);
  return found;
}
