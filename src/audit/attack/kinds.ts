/** Kinds of attack, in the order of reports, with what each tries. */
export const attackKinds = {
  access: "to be let in without the right token, key, role or scope",
  objects: "to get at what belongs to somebody else",
  input: "to have something taken that the schema does not allow",
  limits: "to be served more, or for longer, than the limits allow",
  cors: "to read answers from another site's page",
  csrf: "to act for somebody from another site's page",
  verbs: "to reach what is not declared, by method, path or header",
  caching: "to have one caller's answer kept and given to another",
  errors: "to have an error tell what is inside",
  answers: "to have something undeclared leave in an answer",
  ssrf: "to have the stack ask an address of ours",
  egress: "to have a secret used for what it is not for",
  functions: "to get out of a function",
  content: "to have code of ours run in a visitor's browser",
  headers: "to find an answer without its protecting headers",
  tls: "to speak to it without TLS 1.3",
  webhooks: "to have a message taken that its sender did not sign",
  sequences: "to change, step by step, what somebody else made",
} as const;

/** One of {@link attackKinds}. */
export type AttackKind = keyof typeof attackKinds;

/** All of them, in that order. */
export const kinds: readonly AttackKind[] = Object.keys(attackKinds) as AttackKind[];

/** What a check attacks. */
export interface Attack {
  kind: AttackKind;
  /**
   * The option of the contract whose promise it tries to break, as it is written there: of a route (`access`, `limit`, `body`), or of the
   * stack (`origin`, `cors`, `secrets`).
   */
  promise: AttackedOption;
  /** `route`: it goes by the contract's routes one by one, so that it says something of one of them alone. */
  per: "route" | "site";
  /** No attack: honest requests of its kind. While one is not served, that others are refused shows nothing. */
  isControl?: true;
  /** It only looks at pages, in a browser of its own: it runs beside everything else. */
  isBeside?: true;
}

/** Options of a route, and of the stack, that promise something. */
export const attackedOptions = [
  "access",
  "limit",
  "failures",
  "params",
  "query",
  "headers",
  "body",
  "response",
  "responseHeaders",
  "errors",
  "visible",
  "webhook",
  "cache",
  "etag",
  "to",
  "createsSession",
  "origin",
  "site",
  "identity",
  "apiKeys",
  "cors",
  "edge",
  "upstreams",
  "functions",
  "secrets",
  "egress",
  "ledger",
  "routes",
] as const;

/** One of {@link attackedOptions}. */
export type AttackedOption = (typeof attackedOptions)[number];
