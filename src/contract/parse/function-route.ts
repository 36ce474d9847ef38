import type { ContractRoute } from "../contract/route.ts";
import { accessParts } from "../access.ts";
import type { Problems } from "./problems.ts";

/** Refuses what a function can't answer with, or nobody asks it for. */
export function checkFunctionRoute(problems: Problems, where: string, route: ContractRoute): void {
  if (!route.to.startsWith("fn:")) return;
  const refuse = (message: string, hint: string): void =>
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${message}.`, hint);
  if (route.stream !== undefined)
    refuse("a function answers with JSON, not in parts", "Send it to an upstream, or answer with a schema");
  for (const part of accessParts(route.access))
    if (part.kind === "ownerLookup" && part.from === undefined)
      refuse(
        "whose it is must be asked of an upstream, and a function answers here",
        `ownerLookup({ get: "${part.get}", from: "…" }),`,
      );
  if (route.idempotent === true && route.method !== "GET")
    refuse("a function is called once for each request, never again", "Leave out  idempotent");
}

/** Refuses a webhook that others than its sender could reach, or that says nothing that was signed. */
export function checkWebhook(problems: Problems, where: string, route: ContractRoute): void {
  if (route.webhook === undefined) return;
  const refuse = (message: string, hint: string): void =>
    problems.add("CONTRACT_OPTION_INVALID", `${where}, webhook: ${message}.`, hint);
  if (route.method !== "POST" && route.method !== "PUT")
    refuse(
      `what is signed is a body, and a ${route.method} has none`,
      'Write  "POST /webhooks/payments": { … }',
    );
  else if (route.body === undefined)
    refuse("what is signed is a body, and it declares none", "body: z.object({ … }),");
  if (route.access.kind !== "everyone")
    refuse("the signature says who calls; its sender has no token of ours", "access: everyone,");
  if (route.createsSession)
    refuse("its sender is no visitor, who could be signed in", "Leave out  createsSession");
}
