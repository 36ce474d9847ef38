import type { ContractSourceHeader } from "../contract/site.ts";
import { looksSecretName } from "../environment.ts";
import type { ContractEnvironment } from "../environment.ts";
import type { Problems } from "./problems.ts";
import { isMembers, quote, section, text } from "./values.ts";
import type { Members } from "./values.ts";

/** Headers that are the connection's, or that say what is understood: ours to set. */
const own =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|accept-encoding|range|content-.*|if-.*|proxy-.*|sec-.*)$/;

/** Reads what a source is sent: its token, a password, headers. */
export function parseSourceHeaders(
  problems: Problems,
  where: string,
  { token, basic, headers }: Members,
  environment: ContractEnvironment,
): ContractSourceHeader[] {
  const variable = (at: string, name: unknown): string => {
    if (typeof name === "string" && environment.private.has(name)) return name;
    const example = typeof name === "string" && /^\w+$/.test(name) ? name : "CMS_TOKEN";
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at} must name a variable of privateEnv, not ${quote(name)}.`,
      `privateEnv: z.object({ ${example}: z.string().min(20) }),`,
    );
    return "";
  };
  const found: ContractSourceHeader[] = [];
  if (token !== undefined)
    found.push({
      name: "authorization",
      text: "Bearer ",
      variable: variable(`${where}.token`, token),
      user: undefined,
    });
  const login = section(problems, `${where}.basic`, basic, ["user", "password"]);
  if (login !== undefined) {
    const user = text(problems, `${where}.basic.user`, login.user);
    if (/[:\p{Cc}]/u.test(user))
      problems.add("CONTRACT_OPTION_INVALID", `${where}.basic.user can't have a colon (RFC 7617).`);
    const password = variable(`${where}.basic.password`, login.password);
    found.push({ name: "authorization", text: "Basic ", variable: password, user });
  }
  if (headers !== undefined && !isMembers(headers))
    problems.add("CONTRACT_OPTION_INVALID", `${where}.headers must be an object, not ${quote(headers)}.`);
  for (const [written, value] of Object.entries(isMembers(headers) ? headers : {}))
    found.push(parseHeader(problems, `${where}.headers[${quote(written)}]`, written, value, variable));
  const twice = found.find(({ name }, at) => found.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: the header ${twice.name} is there twice: of token, basic and headers one can set it.`,
    );
  return found;
}

function parseHeader(
  problems: Problems,
  at: string,
  written: string,
  value: unknown,
  variable: (at: string, name: unknown) => string,
): ContractSourceHeader {
  const name = written.toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || own.test(name))
    problems.add("CONTRACT_OPTION_INVALID", `${at}: it is no header that a source can be sent.`);
  if (isMembers(value)) {
    const { variable: secret, prefix = "" } = section(problems, at, value, ["variable", "prefix"]) ?? {};
    return {
      name,
      text: line(problems, `${at}.prefix`, prefix),
      variable: variable(`${at}.variable`, secret),
      user: undefined,
    };
  }
  if (looksSecretName(name.replaceAll("-", "_")) || name === "authorization")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at}: it looks like a secret, which must not stand in the contract.`,
      `Declare it in privateEnv, and write  ${quote(name)}: { variable: "CMS_KEY" }`,
    );
  return { name, text: line(problems, at, value), variable: undefined, user: undefined };
}

function line(problems: Problems, at: string, value: unknown): string {
  if (typeof value === "string" && /^[\u0020-\u007e]*$/.test(value)) return value;
  problems.add("CONTRACT_OPTION_INVALID", `${at} must be a text of visible ASCII, not ${quote(value)}.`);
  return "";
}
