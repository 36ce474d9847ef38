import type { Check, Rule } from "../../check.ts";
import { noLedger } from "../ledger-records.ts";
import { eventsReachLog } from "./events.ts";
import { logIsSafe } from "./hostile.ts";

const chainVerifies: Check = {
  name: "the chain verifies",
  kind: "live",
  isActive: true,
  run: async ({ ledger }, tally) => {
    if (ledger === undefined) return tally.miss(noLedger);
    const { log, first, last, checkpoints, through, holdsAsRemembered, findings, found, untold } =
      ledger.verify();
    for (const says of findings)
      tally.fail({
        kind: "measurement",
        about: `log ${log ?? "without a chain"} is not as it was written`,
        value: says,
      });
    if (found > 0) return;
    if (log === undefined) return tally.miss("no record of the log is chained: an older version wrote it");
    tally.pass({
      kind: "measurement",
      about: `records of log ${log}, each following from the one before (${first} to ${last})`,
      value: last - first + 1,
      unit: "records",
    });
    const [reason] = untold;
    if (reason !== undefined) return tally.miss(reason);
    if (checkpoints === 0) return tally.miss("the log was not signed yet: it is once a minute");
    if (!holdsAsRemembered)
      return tally.miss("what its signer signed last can't be read from here: run this as whoever may");
    tally.pass({
      kind: "measurement",
      about: `signatures over it by who can't write it, the last through record ${through}; none says what the log does not`,
      value: checkpoints,
      unit: "checkpoints",
    });
  },
};

/** MON-1: logging, front and back end. */
export const mon1: Rule = { id: "MON-1", checks: [eventsReachLog, logIsSafe, chainVerifies] };
