/** What can be wrong with an app, by what mends it: several checks may find one. */
export type Fault =
  | "tokens"
  | "access"
  | "methods"
  | "limits"
  | "slow clients"
  | "input"
  | "body"
  | "sole lines"
  | "cors"
  | "errors"
  | "answers"
  | "tls"
  | "headers"
  | "files";

/** Each fault in a sentence: what has to hold. */
export const faultTexts: Readonly<Record<Fault, string>> = {
  tokens: "A token counts when its signature, algorithm, issuer, audience and time are what they have to be",
  access: "Whose an object is, and which role somebody has, decides each request",
  methods: "A path answers to the methods that it has, and to no other",
  limits: "Each client has an allowance of its own, by the address that it connects from",
  "slow clients": "A connection that sends next to nothing is ended",
  input: "Parameters, query and body are what was declared, and nothing beside it",
  body: "A body is small, is JSON, and names each key once",
  "sole lines": "A request says once whom it is for and who sends it",
  cors: "Origins are compared whole with a list, and caches know that answers depend on them",
  errors: "An error says what kind it is and where to look it up, and nothing of the inside",
  answers: "What leaves is picked field by field",
  tls: "Everything comes over TLS 1.3",
  headers: "Every answer carries a strict policy and the security headers",
  files: "The folder that is served holds what is to be public, and nothing else",
};

/** Which fault a row's failures are, unless the check says otherwise. */
const byRow: Readonly<Record<string, Fault>> = {
  "API-1": "tokens",
  "API-2": "limits",
  "API-3": "input",
  "API-5": "cors",
  "API-7": "errors",
  "API-8": "tls",
  "FE-2": "headers",
  "FE-4": "headers",
  "SEC-2": "files",
};

const byCheck: readonly (readonly [row: string, check: RegExp, fault: Fault | undefined])[] = [
  ["API-1", /^user|^a canary object|^what the plan says|role|scope|tenant|hidden|owner|its HEAD$/, "access"],
  ["API-1", /^an undeclared path|^a method|makes one method/, "methods"],
  ["API-1", /^no cache|after it$|of its own$|done for each$|like a file's$/, undefined],
  ["API-1", /webhook|upstream|^the gateway's word|API key|states who|for everyone|is revoked/, undefined],
  ["API-2", /^slow/, "slow clients"],
  ["API-2", /pauses|states a limit|^one address holds/, undefined],
  ["API-3", /^(depth|size|duplicate keys|media types|malformed)/, "body"],
  ["API-3", /^what says twice/, "sole lines"],
  ["API-3", /^a host that is nearly/, undefined],
  ["API-3", /says of prototypes/, "body"],
  ["API-3", /^no stream over HTTP/, "methods"],
  ["API-3", /next visitor$|^what ends in two/, undefined],
  ["API-3", /upstream$|^(a schema|what the contract accepts)/, undefined],
  ["API-5", /^another site's page/, "body"],
  ["API-5", /webhook|session|^allowed/, undefined],
  ["API-7", /^(success|planted|what a lying)/, "answers"],
  ["API-7", /ledger|ETag/, undefined],
  ["API-8", /upstream|^every https hop|^every hop/, undefined],
  ["FE-2", /^(?!every policy that is sent)/, undefined],
  ["SEC-2", /^(?!none is served)/, undefined],
];

/** Names the fault that a failed check found; undefined where no line of an app mends it. */
export function faultOf(row: string, check: string): Fault | undefined {
  const special = byCheck.find(([of, pattern]) => of === row && pattern.test(check));
  return special === undefined ? byRow[row] : special[2];
}
