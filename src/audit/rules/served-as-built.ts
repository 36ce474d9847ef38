import type { Check } from "../check.ts";
import { describeServed } from "../answers/served-release.ts";
import { noRelease, see, withoutPages } from "./shared.ts";
import { counted } from "../../shared/index.ts";

/** What was built is judged, so what is served has to be that. */
export const servedAsBuilt: Check = {
  name: "the release that was built is the one that is served, byte for byte",
  kind: "live",
  isSupporting: true,
  notApplicable: withoutPages,
  run: async (context, tally) => {
    if (context.release === undefined) return tally.miss(noRelease(context));
    const served = await context.servedRelease();
    for (const { about, exchange } of served.differing) tally.fail(see(context, about, exchange));
    if (served.missing !== undefined) tally.miss(served.missing);
    tally.expect(served.differing.length === 0, {
      kind: "measurement",
      about: describeServed(served, context.release),
      value: served.compared,
      unit: `of ${counted(served.of, "file")} compared, each in all its encodings`,
    });
  },
};
