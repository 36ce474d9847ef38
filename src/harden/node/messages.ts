import type { LearnedSite } from "../learn/learned-site.ts";
import type { PolicyBudget } from "../split-policy.ts";
import type { ProcessedFile } from "./process-file.ts";
import type { ListedFile } from "./walk.ts";

/** What a worker is started with. */
export interface WorkerTask {
  readonly files: readonly ListedFile[];
  readonly origin: string | undefined;
  readonly blobs: string;
  readonly budget: PolicyBudget | undefined;
  readonly learned: LearnedSite | undefined;
}

/** Files to be processed, by their place in the list. */
export interface WorkerOrder {
  readonly from: number;
  readonly to: number;
}

/** What a worker answers to an order. */
export type WorkerAnswer =
  | { readonly kind: "done"; readonly files: readonly ProcessedFile[] }
  | {
      readonly kind: "failed";
      readonly code: string | undefined;
      readonly message: string;
      readonly hint: string | undefined;
      readonly stack: string | undefined;
    };
