import type { ContractRoute } from "../../contract/index.ts";

/** Whether a route ever wants to know who calls. */
export const asksWhoCalls = ({ access, visible }: ContractRoute): boolean =>
  access.kind !== "everyone" || visible?.unless !== undefined;
