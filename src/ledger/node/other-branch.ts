import type { Link, LinkCheck } from "./chain.ts";
import type { ReadRecord } from "./late-records.ts";

/**
 * Records that stand after others of the same numbers, and follow from one before those: if what comes next follows from them, it is the others that
 * somebody put in.
 */
export interface OtherBranch {
  /**
   * Takes a record that stands after one of its number, or of a higher one.
   *
   * @param before what the record of its number must follow; undefined: that is not known
   */
  take(record: ReadRecord, before: Uint8Array | undefined): void;
  /** The branch, if a record goes on with it. */
  goesOn(record: ReadRecord): Branch | undefined;
  /** The branch as it is. Undefined: there is none. */
  present(): Branch | undefined;
  /** What came last is in its place. */
  end(): void;
}

/** Records of a branch, the first of which is the one after it. */
export interface Branch {
  /** Number of the first, and where it stands. */
  readonly from: number;
  readonly file: string;
  readonly line: number;
  readonly links: readonly [Link, ...Link[]];
}

/** So that no log takes more memory than another: of a longer one the last are known. */
const mostLinks = 65_536;

export function createOtherBranch(follows: LinkCheck): OtherBranch {
  let branch: (Branch & { readonly links: Link[] }) | undefined;

  const isNext = ({ bytes, link }: ReadRecord): boolean => {
    const last = branch?.links.at(-1);
    return last !== undefined && link.seq === last.seq + 1 && follows(last.chain, bytes, link);
  };

  return {
    take(record, before) {
      const { file, line, bytes, link } = record;
      if (branch !== undefined && isNext(record)) {
        branch.links.push(link);
        if (branch.links.length > 2 * mostLinks) branch.links.splice(0, mostLinks);
      } else
        branch =
          before !== undefined && follows(before, bytes, link)
            ? { from: link.seq, file, line, links: [link] }
            : undefined;
    },
    goesOn: (record) => (isNext(record) ? branch : undefined),
    present: () => branch,
    end() {
      branch = undefined;
    },
  };
}
