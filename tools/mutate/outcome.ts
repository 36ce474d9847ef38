import type { CheckId } from "./auditor.ts";

/** How the trial of a mutant ended. */
export type Outcome =
  | {
      readonly kind: "caught";
      /** The check that found it first. */
      readonly by: CheckId;
      /** What the check saw. */
      readonly words: string;
      /** Others that found it, where all were asked. */
      readonly also?: readonly CheckId[];
      /** None of the mutant's own rows found it; another did. */
      readonly isElsewhere?: true;
      /** Checks that ran. */
      readonly checks: number;
      readonly seconds: number;
    }
  | { readonly kind: "refused"; readonly by: string; readonly words: string; readonly seconds: number }
  | { readonly kind: "missed"; readonly checks: number; readonly seconds: number }
  | { readonly kind: "invalid"; readonly words: string; readonly seconds: number };
