/** Something that came to a {@link Listener}: the beginning of what a connection sent. */
export interface Hit {
  /** At most 4 KiB, each byte a character: a request, or whatever else speaks first. */
  readonly text: string;
}

/** A server of the audit's own on this machine: whoever comes was sent there. */
export interface Listener {
  readonly port: number;
  /** Listens on IPv6 too, by the same port. */
  readonly hasIpv6: boolean;
  /** What came so far, pages that were asked for aside. */
  readonly hits: readonly Hit[];
  /** Offers a page, and returns its address: one of another site than the target's. */
  offer(html: string): string;
  /** Asks itself for a path: that somebody who comes is seen. */
  ask(path: string): Promise<void>;
}

/** Tells whether a connection brought no mark and still came for something: a TLS hello, say, which hides what it asks for. */
export const isUnnamed = ({ text }: Hit): boolean => !/^[A-Z]{3,10} [^ ]+ HTTP\//.test(text);
