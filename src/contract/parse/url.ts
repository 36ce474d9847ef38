import type { Problems } from "./problems.ts";
import { quote } from "./values.ts";

/** What stands for a URL that could not be read, while the rest of the contract is looked at. */
const blankUrl = new URL("https://invalid.invalid");

/** Whether http is accepted: for a service only with a reason, for an origin never. */
type Plain = "allowed" | "with a reason" | "never";

/** Reads the absolute URL of a service: https, unless `allowHttp`. */
export function parseUrl(problems: Problems, where: string, value: unknown, allowHttp: boolean): URL {
  return readUrl(problems, where, value, allowHttp ? "allowed" : "with a reason");
}

function readUrl(problems: Problems, where: string, value: unknown, plain: Plain): URL {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null) {
    problems.add("CONTRACT_OPTION_INVALID", `${where} must be an absolute URL, not ${quote(value)}.`);
    return blankUrl;
  }
  if (url.protocol === "http:" && plain !== "allowed") {
    problems.add(
      "CONTRACT_HTTP_REFUSED",
      `${where} must be https: what travels over http can be read and changed on the way.`,
      plain === "never"
        ? `Write  "https://${url.host}"; on this machine a development certificate is made for it`
        : 'If it never leaves the machine, say so:  insecureAllowHttp: "listens on loopback only"',
    );
  } else if (url.protocol !== "https:" && url.protocol !== "http:") {
    problems.add("CONTRACT_OPTION_INVALID", `${where} must be https, not ${quote(url.protocol)}.`);
    return blankUrl;
  }
  if (url.username !== "" || url.password !== "")
    problems.add("CONTRACT_OPTION_INVALID", `${where} must not hold a user or password.`);
  if (url.hash !== "" || url.search !== "")
    problems.add("CONTRACT_OPTION_INVALID", `${where} must not have a query or fragment.`);
  return url;
}

/** Reads an origin: scheme, host and port, always https. */
export function parseOrigin(problems: Problems, where: string, value: unknown): string {
  if (value === undefined) {
    problems.add(
      "CONTRACT_SHAPE_INVALID",
      "The contract does not say where the site is found.",
      'Add  origin: "https://www.example.com",',
    );
    return blankUrl.origin;
  }
  const url = readUrl(problems, where, value, "never");
  if (url.origin !== value && url !== blankUrl) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be scheme, host and port only.`,
      `Write  "${url.origin}"`,
    );
  }
  return url.origin;
}
