import { networkOf } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import type { LedgerRecord } from "../../ledger/index.ts";
import { printable } from "../../shared/index.ts";

/** What a record of the log says to somebody who works on a site. */
export interface DescribedRecord {
  readonly word: "refused" | "failed" | "dropped";
  readonly what: string;
  /** The line of the contract that would allow it, or mend it. */
  readonly helps?: string | undefined;
  /** It is told once, however often it happens. */
  readonly isOnce?: boolean;
}

/** What of a contract says more of a record. */
export type DescribedBy = Pick<Contract, "egressOrigins" | "functions" | "routes" | "secrets">;

/**
 * Says what was refused, or failed, and which line of the contract would help. Undefined: nothing that is told while somebody works. No value is in
 * it, since none is in the log.
 */
export function describeRecord(record: LedgerRecord, contract: DescribedBy): DescribedRecord | undefined {
  return describers[record.event]?.((name) => textOf(record[name]), contract);
}

/** Reads a field; one that is missing is empty, and none drives a terminal. */
type Fields = (name: string) => string;

const textOf = (value: unknown): string =>
  printable(
    Array.isArray(value)
      ? value.join(", ")
      : ["string", "number"].includes(typeof value)
        ? String(value)
        : "",
    300,
  );

type Help = (of: Fields, contract: DescribedBy) => string | undefined;

const describers: Readonly<
  Record<string, (of: Fields, contract: DescribedBy) => DescribedRecord | undefined>
> = {
  "egress.used": (of) =>
    // Other statuses are told by their class: they say nothing of a secret.
    of("secret") === "" || !/^40[13]$/.test(of("status"))
      ? undefined
      : {
          word: "refused",
          what: `${of("origin")} answered ${of("status")} to a request with ${of("secret")}, version ${of("version")}: is the value right?`,
          helps: `npx curtainwall secret set ${of("secret")}`,
          isOnce: true,
        },
  "egress.refused": (of, contract) => ({
    word: "refused",
    what: `${of("caller")} may not ${requestOf(of)}: ${whyOf(of)}`,
    helps: allowing[of("code")]?.(of, contract),
  }),
  "egress.failed": (of, contract) => ({
    word: "failed",
    what: `${of("caller")} got no answer to ${requestOf(of)}: ${whyOf(of)}`,
    helps: mending[of("code")]?.(of, contract),
  }),
  "egress.address.refused": (of) => ({
    word: "refused",
    what: `${of("origin")} is at ${of("addresses")}, where the contract does not say that it is`,
    helps: originLine(of, networkLine(of("addresses"))),
  }),
  "egress.connection.failed": (of) => ({
    word: "failed",
    what: `${of("service")} can't be connected to: ${of("reason")}`,
  }),
  "webhook.refused": (of) => ({
    word: "refused",
    what: `a webhook for ${of("route")} was not taken: ${of("reason")}`,
  }),
  "function.failed": (of, contract) =>
    // What one throws is told line by line, with the place in its source.
    of("code") === "FUNCTIONS_THREW"
      ? undefined
      : {
          word: "failed",
          what: `${of("function")} gave no answer: ${whyOf(of)}`,
          helps: mending[of("code")]?.(of, contract),
        },
  "function.group.ended": (of) =>
    // That it did not answer is told of each call.
    of("functions") === "" || of("reason").startsWith("it did not answer")
      ? undefined
      : { word: "failed", what: `the process of ${of("functions")} ended: ${of("reason")}` },
  "gateway.answer.refused": (of, contract) => ({
    word: "refused",
    what: `the answer to ${of("route")} is not as its \`response\` says: ${answerOf(of, contract)}`,
  }),
  "gateway.answer.trimmed": (of) => ({
    word: "dropped",
    what: `${of("fields") || "the body"} of the answer to ${of("route")}: its \`response\` does not declare it`,
    isOnce: true,
  }),
};

const isThere = (text: string): boolean => text !== "";
const requestOf = (of: Fields): string =>
  [of("method"), `${of("origin")}${of("path")}`].filter(isThere).join(" ") || "send that";
const whyOf = (of: Fields): string => [of("reason"), `(${of("code")})`].filter(isThere).join(" ");

/** What would permit a refused request. Its path is not in the log, so that nobody can write there what they like. */
const allowing: Readonly<Record<string, Help>> = {
  EGRESS_USE_UNDECLARED(of, contract) {
    const declared = usesAt(of("caller"), of("origin"), contract);
    if (declared.length > 0)
      return `${of("caller")} may do this at ${of("origin")}, and nothing else:  ${declared.join(", ")}`;
    const use = JSON.stringify(`${of("method")} ${of("origin")}/…`);
    const name = /^fn:(.+)$/.exec(of("caller"))?.[1];
    return name === undefined
      ? `secrets: { NAME: secret({ use: ${use}, by: ${JSON.stringify(of("caller"))}, … }) }`
      : `functions: { ${JSON.stringify(name)}: { reaches: ${use} } }   or, with a key:  secrets: { NAME: secret({ use: ${use}, by: fn(${JSON.stringify(name)}), … }) }`;
  },
  EGRESS_QUERY_REFUSED: () => "use: { request: …, query: { … } }  of that secret, or of `reaches`",
  EGRESS_BODY_REFUSED: () => "use: { request: …, body: … }  of that secret, or of `reaches`",
};

/** What a caller may ask of an origin, as the contract has it: whoever is refused there has more likely misspelled a path than left out a use. */
function usesAt(caller: string, origin: string, { secrets, functions }: DescribedBy): string[] {
  const name = /^fn:(.+)$/.exec(caller)?.[1];
  const withSecret = [...secrets.values()].flatMap(({ name: secret, purpose, uses, by }) =>
    purpose === "request" && by.includes(caller) ? uses.map((use) => ({ use, key: ` (${secret})` })) : [],
  );
  const without = (functions.get(name ?? "")?.reaches ?? []).map((use) => ({ use, key: "" }));
  return [...withSecret, ...without]
    .filter(({ use }) => use.origin === origin)
    .map(({ use, key }) => `${use.method} /${use.path.join("/")}${key}`);
}

/** What is wrong with an answer, as whoever wrote the function would say it. */
function answerOf(of: Fields, { routes }: DescribedBy): string {
  const to = routes.find(({ key }) => key === of("route"))?.to ?? "";
  if (of("reason") === "it has no body" && to.startsWith("fn:"))
    return `${to} returned nothing. Is a \`return\` missing?`;
  return [of("reason"), of("fields")].filter(isThere).join(": ");
}

const mending: Readonly<Record<string, Help>> = {
  EGRESS_SERVICE_TIMEOUT: (of) => originLine(of, "timeoutMs: …"),
  EGRESS_ANSWER_TOO_LARGE: (of) => originLine(of, "maxResponseBytes: …"),
  EGRESS_REQUEST_TOO_LARGE: (of) => originLine(of, "maxRequestBytes: …"),
  EGRESS_CERTIFICATE_REFUSED(of, { egressOrigins }) {
    // One that ran out, or is for another name, is none the better for a known authority.
    if (!unknownAuthority.test(of("reason"))) return undefined;
    const { caFile } = egressOrigins.get(of("origin")) ?? {};
    return caFile === undefined
      ? originLine(of, 'caFile: "…"')
      : `${caFile}, its \`caFile\`, does not have the authority that its certificate is from`;
  },
  FUNCTIONS_ENDED: (of) =>
    of("reason").includes("did not answer")
      ? "a loop that does not end, or long work without an `await`"
      : undefined,
  FUNCTIONS_HUNG: () =>
    "a promise that nothing resolves: an `await` of a callback that is never called, for one",
  FUNCTIONS_TIMEOUT: (of) => `functions: { ${JSON.stringify(of("function"))}: { timeoutMs: … } }`,
};

/** What Node says of a chain that leads to nobody it knows. */
const unknownAuthority = /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|INVALID_CA/;

const originLine = (of: Fields, option: string | undefined): string | undefined =>
  option === undefined
    ? undefined
    : `egress: { origins: { ${JSON.stringify(of("origin"))}: { ${option} } } }`;

/** Undefined for addresses that nothing is connected to, whatever a contract says. */
function networkLine(addresses: string): string | undefined {
  const network = networkOf(addresses.split(", ")[0] ?? "");
  return network === undefined ? undefined : `network: "${network}"`;
}
