import type { ContractCache, ContractRoute } from "../contract/route.ts";
import type { Problems } from "./problems.ts";
import { number, quote, section } from "./values.ts";

const options = ["seconds", "staleIfErrorSeconds", "notFoundSeconds", "browserSeconds"];

const example = "cache: { seconds: 60 },";

/** Reads for how long a route's answers may be used again. */
export function parseCache(problems: Problems, where: string, value: unknown): ContractCache | undefined {
  const place = `${where}, cache`;
  const given = section(problems, place, value, options, example);
  if (given === undefined) return undefined;
  const read = (name: string, min: number, max: number): number =>
    number(problems, `${place}.${name}`, given[name], { min, max, fallback: 0 });
  if (given.seconds === undefined)
    problems.add("CONTRACT_OPTION_INVALID", `${place} does not say for how long.`, example);
  return {
    seconds: given.seconds === undefined ? 1 : read("seconds", 1, 86_400),
    staleIfErrorSeconds: read("staleIfErrorSeconds", 0, 604_800),
    notFoundSeconds: read("notFoundSeconds", 0, 3600),
    browserSeconds: read("browserSeconds", 0, 86_400),
  };
}

/** Refuses it where an answer is for one request alone. */
export function checkCache(
  problems: Problems,
  where: string,
  { cache, method, stream, createsSession, failures, spends }: ContractRoute,
): void {
  if (cache === undefined) return;
  const wrong = [
    method !== "GET" && `a ${method} is there to change something`,
    stream !== undefined && "what comes in parts is not kept",
    createsSession && "a session is made for one visitor",
    failures !== undefined && "a kept answer would hide whether an attempt failed",
    spends.length > 0 && "a kept answer would spend what it does not cost",
  ].find((reason) => reason !== false);
  if (wrong !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: cache can't be declared here: ${wrong}.`,
      `Leave out cache (${quote(cache.seconds)} s)`,
    );
}
