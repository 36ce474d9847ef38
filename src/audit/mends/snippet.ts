import type { Fault } from "./faults.ts";
import type { MendSettings } from "./settings.ts";

/** Code that mends a fault, in one framework's words. */
export interface Snippet {
  /** Where it goes. */
  readonly where: string;
  readonly language: "js" | "ts" | "nginx" | "caddy";
  readonly code: string;
}

/** What one framework has for each fault. What it can't mend belongs to the app behind it, or to the server before it. */
export type Snippets = Partial<Readonly<Record<Fault, (settings: MendSettings) => Snippet>>>;
