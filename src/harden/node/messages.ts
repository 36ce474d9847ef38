import type { PageSettings } from "../page/draft.ts";
import type { LearnedSite } from "../learn/learned-site.ts";
import type { PolicyBudget } from "../policy/split-policy.ts";
import type { ProcessedFile } from "./process-file.ts";
import type { ListedFile } from "./walk.ts";

/** What a site's owner has decided for all of its files. */
export interface SiteSettings extends PageSettings {
  /** The charset that its pages and texts were served with until now, if their content-type headers named one. */
  readonly charset?: string | undefined;
}

/** What a worker is started with. */
export interface WorkerTask {
  readonly files: readonly ListedFile[];
  readonly origin: string | undefined;
  readonly blobs: string;
  readonly budget: PolicyBudget | undefined;
  readonly learned: LearnedSite | undefined;
  readonly settings: SiteSettings;
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
