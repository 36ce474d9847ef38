/** Options of {@link createOpenStreams}. */
export interface OpenStreamsOptions {
  /** Streams at once. Default 1 000. */
  max?: number;
  /** Streams at once of one client. Default 32. */
  maxPerClient?: number;
}

/** Counts the answers that are under way in parts. */
export interface OpenStreams {
  /** Undefined: there are too many, of all or of this client. Else what is to be called once when the stream is over. */
  open(client: string): (() => void) | undefined;
  readonly size: number;
}

/**
 * Bounds how many answers come in parts at once: each holds a connection to its upstream for as long as it lasts, and on HTTP/2 a client may ask
 * for a hundred over one connection.
 */
export function createOpenStreams({ max = 1000, maxPerClient = 32 }: OpenStreamsOptions = {}): OpenStreams {
  /** As many entries as streams, at most. */
  const byClient = new Map<string, number>();
  let size = 0;
  return {
    open(client) {
      const own = byClient.get(client) ?? 0;
      if (size >= max || own >= maxPerClient) return undefined;
      size++;
      byClient.set(client, own + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        size--;
        const left = (byClient.get(client) ?? 1) - 1;
        if (left === 0) byClient.delete(client);
        else byClient.set(client, left);
      };
    },
    get size() {
      return size;
    },
  };
}
