import type { Injector } from "../define/inject.ts";
import type { Schema } from "../define/schema.ts";
import type { EnvironmentName } from "../define/vault.ts";
import type { Rate } from "../limits/limit.ts";
import type { Method } from "../path.ts";
import type { ServiceNetwork } from "../addresses/network.ts";

/** A request to somebody else's service that is permitted. */
export interface ContractUse {
  readonly method: Method;
  /** Scheme, host and port, as `URL.origin` writes them. */
  readonly origin: string;
  /** Segments of the path; `"*"` is any one, and a last `"**"` any number, none included. */
  readonly path: readonly string[];
  /** One strict object of all query keys. Undefined: any query. */
  readonly query: Schema | undefined;
  /** Strict. Undefined: any body. */
  readonly body: Schema | undefined;
}

/** A declared secret; every default filled in. */
export interface ContractSecret {
  readonly name: string;
  readonly purpose: "request" | "webhook" | "connection";
  /** Empty unless its purpose is `request`. */
  readonly uses: readonly ContractUse[];
  /** Functions as `fn:name`, and route keys. */
  readonly by: readonly string[];
  /** Undefined unless its purpose is `request`. */
  readonly inject: Injector | undefined;
  readonly rotateEveryDays: number | undefined;
}

/** A declared function; every default filled in. */
export interface ContractFunction {
  readonly name: string;
  readonly reaches: readonly ContractUse[];
  /** Texts that it works with, by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly concurrency: number;
  readonly maxResponseBytes: number;
  readonly runner: "workerd" | "node";
  /** The functions that share its process. */
  readonly group: string;
  /** How often it is called by itself. Undefined: never. */
  readonly everyMs: number | undefined;
}

/** How a route's senders sign what they send. */
export interface ContractWebhook {
  readonly scheme: "standard" | "stripe" | "github" | "slack";
  readonly secret: string;
  readonly toleranceSeconds: number;
}

/** How somebody else's service is reached; every default filled in. */
export interface ContractEgressOrigin {
  readonly origin: string;
  readonly network: ServiceNetwork;
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxRequestBytes: number;
  readonly concurrency: number;
  /** Undefined: as often as somebody causes it. */
  readonly rate: Rate | undefined;
}

/** Where the vault's key comes from; every default filled in. */
export interface ContractVault {
  /** Undefined: what its environment has by default. */
  readonly key:
    | { readonly kind: "file"; readonly file: string }
    | { readonly kind: "passphrase" }
    | { readonly kind: "credential"; readonly name: string }
    | undefined;
  readonly witnessFile: string | undefined;
}

/** All environments that have secrets of their own. */
export const environmentNames: readonly EnvironmentName[] = ["development", "preview", "production"];
