import type { AuditReport } from "../report.ts";

/** How a reason begins that ends in a build, which is nothing for what another server serves. */
const noRelease = "there is no release to compare with: ";

/** Why a check was not made, without the build that nobody would serve: where the target is recognised as something else than Curtainwall. */
export function reasonElsewhere({ mends: [mend] = [] }: Pick<AuditReport, "mends">, reason: string): string {
  return mend === undefined || !reason.startsWith(noRelease)
    ? reason
    : `${noRelease}what is served here is made with ${mend.framework}, and no release of Curtainwall. A build would change nothing`;
}
