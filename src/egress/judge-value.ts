import type { ContractSecret, ContractWebhook, Injector } from "../contract/index.ts";
import { revealSecret } from "../shared/index.ts";
import type { Secret } from "../shared/index.ts";
import { spellings } from "./answer/redactor.ts";
import { Refused } from "./errors.ts";
import { createInjector } from "./inject/create-injector.ts";
import type { TokenAnswer } from "./inject/client-credentials.ts";
import { webhookSchemes } from "./webhooks/schemes.ts";

/** What a value is for. */
export interface PurposeOfValue extends Pick<ContractSecret, "name" | "purpose" | "inject"> {
  /** How the senders sign whose webhooks it checks. */
  readonly schemes: readonly ContractWebhook["scheme"][];
}

/** What can be said of a value before anybody uses it. No text in it is the value, or a part of it. */
export interface ValueJudgement {
  /** Why it can't be used at all, and the form that it must have. */
  readonly unfit: { readonly reason: string; readonly form: string } | undefined;
  /** What is probably not meant, or weak; each ends a sentence that begins with "it". */
  readonly risks: readonly string[];
}

/**
 * Tries a value as egress will use it, by the same code: a request that goes nowhere is given it, and a webhook's scheme makes its key of it. What
 * passes can be sent; whether its service takes it, only that knows.
 */
export async function judgeValue(purpose: PurposeOfValue, value: Secret): Promise<ValueJudgement> {
  const { inject, schemes } = purpose;
  const tried = inject === undefined ? { hidden: [] } : await tryInjector(inject, value);
  const wrongScheme = schemes.find(
    (scheme) => webhookSchemes[scheme].keyOf(revealSecret(value)) === undefined,
  );
  const unfit =
    "reason" in tried
      ? { reason: tried.reason, form: inject === undefined ? "" : formOf[inject.kind] }
      : wrongScheme === undefined
        ? undefined
        : { reason: "the value is no key of Standard Webhooks", form: standardForm };
  const hidden = "hidden" in tried ? tried.hidden : [];
  return { unfit, risks: unfit === undefined ? risksOf(purpose, revealSecret(value), hidden) : [] };
}

const formOf: Readonly<Record<Injector["kind"], string>> = {
  bearer: "Letters, digits and signs of ASCII, without line ends, and without spaces around it",
  header: "Letters, digits and signs of ASCII, without line ends, and without spaces around it",
  query: "Any text",
  hmac: "Any text",
  basic: "user:password, without control characters",
  aws: "ACCESS_KEY_ID:SECRET_ACCESS_KEY",
  "client-credentials": "client_id:client_secret",
  jwt: "A private key of the contract's algorithm as PEM (PKCS#8):  openssl pkcs8 -topk8 -nocrypt -in key.pem",
};
const standardForm = "Base64 of 24 bytes or more, with whsec_ before it or without, as its sender shows it";

/** A token endpoint's answer: what its client does with it is not what is tried. */
const anyToken: TokenAnswer = {
  status: 200,
  body: new TextEncoder().encode('{"access_token":"none-at-all","token_type":"bearer"}'),
};

async function tryInjector(
  injector: Injector,
  value: Secret,
): Promise<{ hidden: readonly string[] } | { reason: string }> {
  const { inject } = createInjector({
    injector,
    askForToken: () => Promise.resolve(anyToken),
    now: () => 0,
    elapsed: () => 0,
  });
  const nowhere = {
    method: "POST",
    origin: "https://service.invalid",
    path: "/",
    query: "",
    headers: new Map<string, string>(),
    body: undefined,
  };
  try {
    return { hidden: (await inject(nowhere, value)).hidden };
  } catch (error) {
    // What is not ours to say may quote it.
    return { reason: error instanceof Refused ? error.reason : "the value can't be used" };
  }
}

/** What follows "Bearer" or the header's own prefix is the value. */
function prefixOf(inject: Injector | undefined): string {
  if (inject?.kind === "bearer") return "bearer ";
  return inject?.kind === "header" ? inject.prefix.toLowerCase() : "";
}

/** Whoever saw one signature can try out shorter keys. */
const shortestKey = 16;
/** Most servers take no longer headers. */
const longestHeader = 8000;

function risksOf(
  { name, purpose, inject, schemes }: PurposeOfValue,
  text: string,
  hidden: readonly string[],
): string[] {
  const prefix = prefixOf(inject);
  const signs = inject?.kind === "hmac" || purpose === "webhook";
  const isPem = inject?.kind === "jwt";
  const isHeader = inject?.kind === "bearer" || inject?.kind === "header";
  const risks: readonly [isRisky: boolean, risk: string][] = [
    [!isPem && text.trim() !== text, "begins or ends with a blank or a line end, which is part of it"],
    [/^(["'`]).*\1$/s.test(text), "stands in quotes, which are part of it"],
    [text.startsWith(`${name}=`), `begins with "${name}=", which is part of it`],
    [prefix !== "" && text.toLowerCase().startsWith(prefix), "begins with what is put before it anyway"],
    [!isPem && /[\r\n]./.test(text), "has several lines"],
    [
      purpose === "connection" && /^[a-z]+:\/\//.test(text),
      "looks like a URL; only the password is asked for",
    ],
    [
      schemes.includes("stripe") && !text.startsWith("whsec_"),
      'does not begin with "whsec_", as Stripe\'s keys do',
    ],
    [
      inject?.kind === "aws" && text.startsWith("ASIA"),
      "is a temporary key of AWS, which its signature alone can't use",
    ],
    [
      signs && text.length < shortestKey,
      `is shorter than ${shortestKey} characters: whoever sees a signature can try keys`,
    ],
    [isHeader && text.length > longestHeader, "is longer than the headers that most servers take"],
    [
      hidden.some((part) => spellings([part]).length === 0),
      "is so short, or a part of it, that egress can't tell it from other text in answers: an echo is not taken out",
    ],
  ];
  return risks.flatMap(([isRisky, risk]) => (isRisky ? [risk] : []));
}
