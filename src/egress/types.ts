import type { Secret } from "../shared/index.ts";

/** Who causes a request: a function, or a route that an upstream answers. */
export type EgressCaller =
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "route"; readonly key: string };

/** A caller as a contract's `by` has it, and the log. */
export const callerText = (caller: EgressCaller): string =>
  caller.kind === "function" ? `fn:${caller.name}` : caller.key;

/** A secret's value, and which version of it that is. */
export interface SecretValue {
  readonly version: number;
  readonly value: Secret;
}

/** Where values come from: the vault, by way of `stack`. */
export interface SecretSource {
  /** The current version; undefined: there is none. Rejects if the vault can't be asked. */
  get(name: string): Promise<SecretValue | undefined>;
  /** Tells which secrets changed. Values that were given before don't count any more. */
  onChange(listener: (names: readonly string[]) => void): void;
}
