import { memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { RouteStep } from "./explain.ts";

/** Says for how long a route's answers are used again, and for whom, if they are. */
export function explainCache({ cache, access, visible, headers, cookies }: ContractRoute): RouteStep | false {
  if (cache === undefined) return false;
  const { seconds, staleIfErrorSeconds, notFoundSeconds, browserSeconds } = cache;
  const isShared = access.kind === "everyone" && visible?.unless === undefined;
  const key = [
    "path and query",
    ...(headers === undefined ? [] : memberNames(headers)),
    ...(cookies === undefined ? [] : memberNames(cookies).map((name) => `cookie ${name}`)),
    ...(isShared ? [] : ["who calls"]),
  ];
  const parts = [
    `an answer for the same ${key.join(", ")} that is at most ${seconds} s old`,
    staleIfErrorSeconds > 0 && `if the upstream fails, ${staleIfErrorSeconds} s older`,
    notFoundSeconds > 0 && `that there is nothing, for ${notFoundSeconds} s`,
    browserSeconds > 0 && `browsers keep it for ${browserSeconds} s`,
  ];
  return {
    check: "kept answer",
    passes: parts.filter((part) => part !== false).join("; "),
    otherwise: "the upstream is asked, once for all who ask the same",
  };
}
