import type { ContractRoute } from "../../contract/index.ts";
import type { Charge, CountedLimit, Counting } from "./counting.ts";
import type { Hold } from "./hold.ts";

/** A budget that is counted. */
export interface CountedBudget {
  readonly limit: CountedLimit;
  /** Tells the log, the first time in a while. */
  readonly exhausted: (route: string) => void;
}

/** Spends what a route's requests cost before the upstream is asked: what it did then can't be undone. Undefined if they cost nothing. */
export function compileSpending(
  { key, spends }: Pick<ContractRoute, "key" | "spends">,
  budgetOf: (name: string) => CountedBudget,
  counting: Counting,
): Hold | undefined {
  if (spends.length === 0) return undefined;
  const budgets = spends.map(({ budget }) => budgetOf(budget.name));
  const charges = spends.map(({ cost }, index): Charge => ({
    limit: (budgets[index] as CountedBudget).limit,
    key: "",
    cost,
  }));
  const finish = (answer: unknown): void => {
    if (answer === undefined) counting.giveBack(charges);
  };
  return (_passage, _body, done) =>
    counting.charge(charges, (left) => {
      const last = left.length - 1;
      const wait = -(left[last] ?? 0);
      if (wait <= 0) return done({ finish });
      counting.giveBack(charges.slice(0, last));
      budgets[last]?.exhausted(key);
      const retryAfter = ["retry-after", String(Math.ceil(wait / 1000))];
      done({ refusal: { code: "GATEWAY_BUDGET_EXHAUSTED", headers: retryAfter } });
    });
}
