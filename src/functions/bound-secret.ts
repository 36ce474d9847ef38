import type { Contract, ContractUse, Injector } from "../contract/index.ts";

/** A request that a secret is sent with. */
export type BoundUse = Pick<ContractUse, "method" | "origin" | "path">;

/** A secret as a bundle knows it, for where it is a binding: no value, and of its rules those that say where it goes. */
export interface BoundSecret {
  readonly name: string;
  readonly uses: readonly BoundUse[];
  readonly inject: Extract<Injector, { kind: "bearer" | "basic" | "header" | "query" }>;
}

/** The secrets that a function causes requests with. Signatures and tokens are made by egress alone: those are left out. */
export function boundSecrets({ secrets }: Pick<Contract, "secrets">, name: string): BoundSecret[] {
  return [...secrets.values()].flatMap(({ name: secret, by, uses, inject }) =>
    by.includes(`fn:${name}`) && inject !== undefined && isPlain(inject)
      ? [{ name: secret, uses: uses.map(({ method, origin, path }) => ({ method, origin, path })), inject }]
      : [],
  );
}

const isPlain = (inject: Injector): inject is BoundSecret["inject"] =>
  ["bearer", "basic", "header", "query"].includes(inject.kind);
