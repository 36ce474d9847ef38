import { loadCertificate } from "../edge/certificate.ts";
import type { StackCertificate } from "../edge/certificate.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { ToEdge } from "../processes/messages.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** The certificate that a stack serves with. */
export interface KeptCertificate {
  current(): StackCertificate;
  /** Reads its files again, and hands another one to the edge. */
  reload(): Promise<void>;
}

/** Loads the certificate; what is wrong with it then is thrown, and later told. */
export async function keepCertificate(
  surroundings: Surroundings,
  edge: () => DomainProcess<ToEdge> | undefined,
): Promise<KeptCertificate> {
  const { loaded, folders, events } = surroundings;
  let current = await loadCertificate(loaded.contract, folders);
  return {
    current: () => current,
    async reload() {
      try {
        const fresh = await loadCertificate(loaded.contract, folders);
        if (fresh.fingerprint === current.fingerprint) return;
        current = fresh;
        edge()?.control.send({ type: "certificate", certificate: fresh.pair });
        events({ type: "stack.certificate.replaced", time: Date.now(), fingerprint: fresh.fingerprint });
        say(surroundings, "info", "the certificate was replaced");
      } catch (error) {
        // While a tool writes the two files they may not match for a moment: the old pair stays.
        say(surroundings, "warning", `the certificate was not replaced: ${(error as Error).message}`);
      }
    },
  };
}
