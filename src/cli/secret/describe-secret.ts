import type { Contract, ContractSecret } from "../../contract/index.ts";

/** What a secret may be used for, in a line: `GET https://api.example/v1/*, as bearer`. */
export function describeSecret({ purpose, uses, inject }: ContractSecret): string {
  if (purpose === "webhook") return "checks who signed a webhook";
  if (purpose === "connection") return "opens a connection";
  const requests = uses.map(({ method, origin, path, query, body }) => {
    const limits = [...(query === undefined ? [] : ["query"]), ...(body === undefined ? [] : ["body"])];
    return `${method} ${origin}/${path.join("/")}${limits.length === 0 ? "" : ` (${limits.join(" and ")} limited)`}`;
  });
  return `${requests.join("; ")}${inject === undefined ? "" : `, as ${inject.kind}`}`;
}

/** Who may cause its use, as the contract has it: functions, routes, or the part of the contract that names it. */
export function usersOfSecret(
  { routes, limitStore }: Contract,
  { name, purpose, by }: ContractSecret,
): string[] {
  if (purpose === "request") return [...by];
  if (purpose === "webhook")
    return routes.filter(({ webhook }) => webhook?.secret === name).map(({ key }) => key);
  return limitStore === undefined ? [] : ["limitStore"];
}
