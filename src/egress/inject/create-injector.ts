import type { Injector } from "../../contract/index.ts";
import { revealSecret } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import { foldHeader } from "../policy/fold-names.ts";
import { injectAwsSignature } from "./aws.ts";
import { createTokenKeeper } from "./client-credentials.ts";
import type { AccessToken, AskForToken } from "./client-credentials.ts";
import { dropQueryKey } from "./drop-query-key.ts";
import { injectHmac } from "./hmac.ts";
import { injectJwtAssertion } from "./jwt.ts";
import { ownedBy } from "./outgoing.ts";
import type { Inject, Outgoing } from "./outgoing.ts";
import { injectBasic, injectBearer, injectHeader, injectQuery } from "./plain.ts";

/** What an injector did. */
export interface Injected {
  /** Texts that must not come back to the caller. */
  readonly hidden: readonly string[];
  /** Tells that the service refused what was injected. True: a second try may go better. */
  refuse(): boolean;
}

/** Puts values of one secret into requests. */
export interface RequestInjector {
  /** Throws {@link Refused}. */
  inject(outgoing: Outgoing, value: Secret): Promise<Injected>;
}

/** Options of {@link createInjector}. */
export interface InjectorOptions {
  injector: Injector;
  askForToken: AskForToken;
  /** The present in milliseconds since 1970. */
  now: () => number;
  /** Milliseconds that only grow, whatever the clock does. */
  elapsed: () => number;
}

/** Makes what puts a secret into requests as the contract says. What only it may set is dropped from a request first. */
export function createInjector({ injector, askForToken, now, elapsed }: InjectorOptions): RequestInjector {
  const owned = ownedBy(injector);
  const ownHeaders = new Set(owned.headers.map(foldHeader));
  const add =
    injector.kind === "client-credentials"
      ? injectToken(createTokenKeeper({ options: injector, ask: askForToken, elapsed }))
      : always(injectOf(injector, now));
  return {
    inject(outgoing, value) {
      for (const name of outgoing.headers.keys())
        if (ownHeaders.has(foldHeader(name))) outgoing.headers.delete(name);
      if (owned.query !== undefined) outgoing.query = dropQueryKey(outgoing.query, owned.query);
      return add(outgoing, value);
    },
  };
}

type Adding = RequestInjector["inject"];

function injectOf(injector: Exclude<Injector, { kind: "client-credentials" }>, now: () => number): Inject {
  switch (injector.kind) {
    case "bearer":
      return injectBearer;
    case "basic":
      return injectBasic;
    case "header":
      return injectHeader(injector);
    case "query":
      return injectQuery(injector);
    case "hmac":
      return injectHmac(injector, now);
    case "aws":
      return injectAwsSignature(injector, now);
    case "jwt":
      return injectJwtAssertion(injector, now);
  }
}

const always =
  (inject: Inject): Adding =>
  async (outgoing, value) => ({ hidden: await inject(outgoing, value), refuse: () => false });

function injectToken(keeper: ReturnType<typeof createTokenKeeper>): Adding {
  return async (outgoing, value) => {
    const token: AccessToken = await keeper.token(value);
    outgoing.headers.set("authorization", `Bearer ${token.text}`);
    const [, key = ""] = revealSecret(value).split(/:(.*)/s);
    return {
      hidden: [token.text, key],
      refuse() {
        keeper.reject(value, token);
        return true;
      },
    };
  };
}
