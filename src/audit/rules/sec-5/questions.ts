import type { Contract, ContractUse } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AskedUse, EgressAsker, SecretsProbe } from "../../probes/secrets-probe.ts";

/** What egress may be expected to say. */
export type Expected = "permitted" | "refused" | "query refused" | "body refused";

/** What it says of a request that it would send, were it not for its size, or for what it carries. */
const permitting = [
  "EGRESS_REQUEST_TOO_LARGE",
  "EGRESS_QUERY_REFUSED",
  "EGRESS_BODY_REFUSED",
  "EGRESS_USE_AMBIGUOUS",
];
const refusing = ["EGRESS_USE_UNDECLARED", "EGRESS_CALLER_UNKNOWN"];
const answersTo: Readonly<Record<Expected, readonly string[]>> = {
  permitted: permitting,
  refused: refusing,
  "query refused": ["EGRESS_QUERY_REFUSED"],
  "body refused": ["EGRESS_BODY_REFUSED"],
};

/** Questions that are asked at most: more than any site has that somebody reads. */
const maxQuestions = 5000;

/** A question, and what the contract says to it. */
export interface Question {
  readonly asker: EgressAsker;
  readonly use: AskedUse;
  readonly expected: Expected;
  readonly about: string;
}

/** Asks them all, and tells what is not as the contract has it. Counts those that are, by what was expected. */
export async function askAll(
  secrets: SecretsProbe,
  questions: readonly Question[],
  tally: Tally,
): Promise<Partial<Record<Expected, number>>> {
  if (questions.length > maxQuestions)
    tally.miss(`only the first ${maxQuestions} of ${questions.length} questions were asked`);
  const counts: Partial<Record<Expected, number>> = {};
  for (const question of questions.slice(0, maxQuestions)) {
    const answer = await secrets.askEgress(question.asker, question.use);
    if ("missing" in answer) {
      tally.miss(answer.missing);
      break;
    }
    if (judge(question, answer.code, tally)) counts[question.expected] = (counts[question.expected] ?? 0) + 1;
  }
  return counts;
}

function judge({ expected, about }: Question, code: string, tally: Tally): boolean {
  if (answersTo[expected].includes(code)) return true;
  // A status is somebody else's answer: it was sent.
  const isAnswer = [...permitting, ...refusing].includes(code) || code.startsWith("status ");
  if (isAnswer)
    tally.fail({
      kind: "measurement",
      about: `${about}: by the contract it is ${expected}, and egress answers`,
      value: code,
    });
  else tally.miss(`${about}: egress answered ${code}, which says nothing of it`);
  return false;
}

/** Whoever uses secrets, or could try to: functions, routes that an upstream answers, and all whom a secret names. */
export const usersOfSecrets = ({ secrets, functions, routes, upstreams }: Contract): readonly string[] => [
  ...new Set([
    ...[...functions.keys()].map((name) => `fn:${name}`),
    ...routes.filter(({ to }) => upstreams.has(to)).map(({ key }) => key),
    ...[...secrets.values()].flatMap(({ by }) => by),
  ]),
];

/** What a user may ask others for, with a secret or without. */
export const grantsOf = ({ secrets, functions }: Contract, user: string): readonly ContractUse[] => [
  ...[...secrets.values()].filter(({ by }) => by.includes(user)).flatMap(({ uses }) => uses),
  ...(functions.get(user.slice("fn:".length))?.reaches ?? []),
];

/** A request that fits a use. */
export const exampleOf = (use: ContractUse): ContractUse => ({
  ...use,
  path: use.path.flatMap((segment) => (segment === "**" ? [] : [segment === "*" ? "audit" : segment])),
});

/** As it is put to egress. */
export const askedOf = ({ method, origin, path }: ContractUse): AskedUse => ({
  method,
  origin,
  path: `/${path.join("/")}`,
});
