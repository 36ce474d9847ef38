import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { parsePolicy, policyFaults } from "../../answers/policy.ts";
import type { Exchange } from "../../probes/probe.ts";
import { mediaType, pagesOf, see, withoutPages } from "../shared.ts";

const maxPages = 20;

/** What a browser gets, whoever built it: a site that is served by something else has no release of ours to look into. */
export const sentPolicies: Check = {
  name: "every policy that is sent is strict",
  kind: "live",
  isSupporting: true,
  notApplicable: withoutPages,
  run: async (context, tally) => {
    const pages = pagesOf(context);
    const paths = pages.length === 0 ? ["/"] : pages.slice(0, maxPages);
    for (const path of paths)
      if (!(await look(context, tally, encodeURI(path))))
        tally.miss(`the target answers ${path} with no page`);
    // Elsewhere nothing is asked for but what links lead to.
    if (context.isLoopback) await look(context, tally, `/${context.mark()}/`);
  },
};

/** Judges what is sent with a page; tells whether it was one. */
async function look(context: AuditContext, tally: Tally, path: string): Promise<boolean> {
  const exchange = await context.caller.send({ method: "GET", path });
  if (mediaType(exchange) !== "text/html") return false;
  const faults = sentFaults(exchange);
  tally.expect(
    faults.length === 0,
    see(context, `${path}: ${faults.length === 0 ? "a strict policy" : faults.join("; ")}`, exchange),
  );
  return true;
}

/** Every policy of an answer counts, so the best of them is what is judged. */
function sentFaults({ response }: Exchange): readonly string[] {
  const policies = response.headers.filter(([name]) => name === "content-security-policy");
  const judged = policies.map(([, value]) => policyFaults(parsePolicy(value)));
  return judged.toSorted((left, right) => left.length - right.length)[0] ?? ["no policy"];
}
