import type { EnvelopeSigner } from "../../contract/index.ts";
import type { SiteKeys } from "../../stack/index.ts";

/** A site's keys whose release key stays at hand. */
export interface HeldKeys {
  readonly keys: SiteKeys;
  /** Gives the key back. */
  close(): Promise<void>;
}

/** A key that was lent, and how it is given back. */
interface Loan {
  readonly signer: EnvelopeSigner;
  end(): Promise<void>;
}

/**
 * Borrows a site's release key once instead of for each signature: one that lies in a vault would start that vault's process each time, which
 * takes longer than all else a changed function needs.
 */
export function holdKeys(keys: SiteKeys): HeldKeys {
  let loan = borrow(keys);
  let isClosed = false;
  // Asked for ahead; what goes wrong is told to who needs it.
  loan.catch(() => undefined);

  async function sign(message: Uint8Array): Promise<Uint8Array> {
    try {
      return await (await loan).signer.sign(message);
    } catch (error) {
      if (isClosed) throw error;
      // The vault's process has ended, or its key is another one meanwhile.
      void loan.then(({ end }) => end()).catch(() => undefined);
      loan = borrow(keys);
      return (await loan).signer.sign(message);
    }
  }

  return {
    keys: {
      ...keys,
      withReleaseSigner: (use) => use({ publicKey: keys.pinned.release, sign }),
    },
    async close() {
      isClosed = true;
      await loan.then(({ end }) => end()).catch(() => undefined);
    },
  };
}

function borrow({ withReleaseSigner }: SiteKeys): Promise<Loan> {
  const lent = Promise.withResolvers<Loan>();
  const done = Promise.withResolvers<void>();
  const visit = withReleaseSigner(async (signer) => {
    lent.resolve({
      signer,
      end: async () => {
        done.resolve();
        await visit;
      },
    });
    await done.promise;
  });
  visit.catch(lent.reject);
  return lent.promise;
}
