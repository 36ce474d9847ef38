import type { ContractUpstream } from "../contract.ts";
import type { Problems } from "./problems.ts";
import { quote, section, text } from "./values.ts";
import type { Members } from "./values.ts";

/** Reads what an upstream is told of where a request comes from. */
export function parseTold(
  problems: Problems,
  where: string,
  { forwardClient, trace }: Members,
): Pick<ContractUpstream, "forwardClient" | "trace"> {
  return {
    forwardClient: oneOf(problems, `${where}.forwardClient`, forwardClient, [
      "x-forwarded-for",
      "forwarded",
    ] as const),
    trace: oneOf(problems, `${where}.trace`, trace, ["new", "continue"] as const),
  };
}

function oneOf<const Values extends readonly string[]>(
  problems: Problems,
  where: string,
  value: unknown,
  values: Values,
): Values[number] | undefined {
  if (value === undefined || values.includes(value as string)) return value as Values[number] | undefined;
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be ${values.map((entry) => quote(entry)).join(" or ")}, not ${quote(value)}.`,
  );
}

/** Reads what the gateway shows an upstream to be known by. */
export function parseClientCertificate(
  problems: Problems,
  where: string,
  { clientCertificate }: Members,
  { url }: Pick<ContractUpstream, "url">,
): ContractUpstream["clientCertificate"] {
  const place = `${where}.clientCertificate`;
  const files = section(problems, place, clientCertificate, ["certFile", "keyFile"]);
  if (files === undefined) return undefined;
  if (url.protocol !== "https:")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${place}: without TLS there is nobody to show it to.`,
      'url: "https://…",',
    );
  return {
    certFile: text(problems, `${place}.certFile`, files.certFile),
    keyFile: text(problems, `${place}.keyFile`, files.keyFile),
  };
}
