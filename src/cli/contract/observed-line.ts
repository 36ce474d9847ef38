import type { ContractRoute } from "../../contract/index.ts";

/** What a route would have to say to let pass what was seen, a line for each option. */
export function observedLine(route: ContractRoute, code: string, fields: readonly string[]): string[] {
  switch (code) {
    case "GATEWAY_LIMIT_REACHED":
      return [`limit: more than ${route.limits.map(({ text }) => JSON.stringify(text)).join(", ")}`];
    case "GATEWAY_BODY_UNEXPECTED":
      return ["body: z.object({ … }),"];
    case "GATEWAY_INPUT_INVALID":
      return [...new Set(fields.map(inputLine))];
    case "GATEWAY_ANSWER_INVALID":
      return [...new Set(fields.map((field) => answerLine(field)))];
    case "GATEWAY_ORIGIN_REFUSED":
      return ['refused, observed or not. If those pages are yours:  cors: { origins: ["https://…"] },'];
    case "GATEWAY_MEDIA_TYPE_REFUSED":
      return ["refused, observed or not: it takes application/json, or what form() describes"];
    case "GATEWAY_BODY_TOO_LARGE":
      return [`refused, observed or not:  maxBodyBytes: more than ${route.maxBodyBytes},`];
    default:
      return [];
  }
}

const places = ["params", "query", "headers", "cookies"];

function inputLine(field: string): string {
  const [place = "", ...rest] = field.split("/");
  if (field === "") return "body: declare what comes; names that a sender chose are not logged";
  if (!places.includes(place)) return `body: allow it at ${field}`;
  return rest.length === 0 ? `${place}: declare what comes` : `${place}: { ${rest.join("/")}: … },`;
}

function answerLine(field: string): string {
  const [place = "", ...rest] = field.split("/");
  if (place === "status") return `errors: { ${rest.join("/")}: z.object({ … }) },`;
  if (place === "headers") return `responseHeaders: { ${JSON.stringify(rest.join("/"))}: … },`;
  return field === ""
    ? "response: z.object({ … }),   // or leave it out: it is dropped"
    : `response: declare ${field}, or leave it out: it is dropped`;
}
