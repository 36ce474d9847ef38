import type { RouteKey } from "../define.ts";
import type { Method } from "../path.ts";
import type { FunctionName } from "./function.ts";
import type { Injector } from "./inject.ts";
import type { Fields, Schema } from "./schema.ts";

/**
 * A request to somebody else's service: `"GET https://api.delivery.example/v1/quotes"`. In the path `*` stands for one segment, and `**` at the end
 * for any number of them.
 */
export type UseText = `${Method} https://${string}`;

/** A request that is narrowed further than by method, origin and path. */
export interface UseOptions {
  request: UseText;
  /** Its query keys; others are refused. Default: any. */
  query?: Fields;
  /** The JSON that it may carry. Default: anything, of any type. */
  body?: Schema;
}

/** Who may cause a request: a function, by `fn("name")`, or a route, by its key, that an upstream answers. */
export type UserOfSecret = FunctionName | RouteKey;

/** Options of a {@link secret}. */
export interface SecretOptions<By extends UserOfSecret = UserOfSecret> {
  /** The requests that it is sent with. It goes nowhere else. */
  use: UseText | UseOptions | readonly (UseText | UseOptions)[];
  /** Who may cause them. */
  by: By | readonly By[];
  /** How it is put into them: {@link bearer}, {@link inHeader} … */
  inject: Injector;
  /** How old a version may become, in days, 1 to 3 650. Default: no matter how old. */
  rotateEveryDays?: number;
}

/** Options of a {@link webhookSecret} and a {@link connectionSecret}. */
export interface PlainSecretOptions {
  /** How old a version may become, in days, 1 to 3 650. Default: no matter how old. */
  rotateEveryDays?: number;
}

/** A credential whose value lies in the vault, under the name that it has in the contract. No value stands in a contract. */
export type SecretDefinition<By extends UserOfSecret = UserOfSecret> =
  | (SecretOptions<By> & { readonly kind: "secret"; readonly purpose: "request" })
  | (PlainSecretOptions & { readonly kind: "secret"; readonly purpose: "webhook" | "connection" });

/**
 * Declares a credential for somebody else's service, and what it may be used for. The value is put into the vault with
 * `curtainwall secret set NAME`; the `egress` domain adds it to requests that match, and nobody who causes them ever has it.
 */
export function secret<const By extends UserOfSecret>(options: SecretOptions<By>): SecretDefinition<By> {
  return Object.freeze({ ...options, kind: "secret" as const, purpose: "request" as const });
}

/** Declares the key that a sender signs its webhooks with. What it checks says the route that names it: `webhook: stripe("NAME")`. */
export function webhookSecret(options: PlainSecretOptions = {}): SecretDefinition<never> {
  return Object.freeze({ ...options, kind: "secret" as const, purpose: "webhook" as const });
}

/** Declares the password of a database or store. What it opens says the connection that names it: `redis({ password: "NAME" })`. */
export function connectionSecret(options: PlainSecretOptions = {}): SecretDefinition<never> {
  return Object.freeze({ ...options, kind: "secret" as const, purpose: "connection" as const });
}
