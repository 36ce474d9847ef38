import type { Check } from "../../check.ts";
import { noProbe, withoutSecrets } from "../own-machine.ts";

/** Two values sealed with one nonce and one key tell both. The file shows nonces to who has no key. */
export const noncesDiffer: Check = {
  name: "the vault seals nothing with a nonce that it used before",
  kind: "live",
  isActive: true,
  isSupporting: true,
  notApplicable: withoutSecrets,
  run: async ({ machine }, tally) => {
    if (machine === undefined) return tally.miss(noProbe);
    const nonces = machine.sealedNonces();
    if ("missing" in nonces) return tally.miss(nonces.missing);
    if (nonces.length < 2) return tally.miss("the vault holds too little to compare");
    const again = nonces.length - new Set(nonces).size;
    tally.expect(again === 0, {
      kind: "measurement",
      about: `nonces that stand more than once in the vault's file, of ${nonces.length}`,
      value: again,
    });
  },
};
