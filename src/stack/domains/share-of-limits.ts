import type { EdgeLimits } from "../../edge/index.ts";

/** What one address always gets on a thread: a browser opens a handful, and a few people share an address everywhere. */
const leastPerAddress = 64;

/**
 * One thread's share of the connections that the whole edge may hold. Each thread counts alone, and the kernel spreads an
 * address's connections over the threads by chance, so that an even share of a small number would refuse some of them
 * long before the edge holds that many.
 */
export function shareOfLimits(
  threads: number,
): Pick<EdgeLimits, "maxConnections" | "maxConnectionsPerAddress"> {
  return {
    maxConnections: Math.ceil(10_000 / threads),
    maxConnectionsPerAddress: Math.max(leastPerAddress, Math.ceil(256 / threads)),
  };
}

/** What the whole edge holds of one address at most. */
export const connectionsPerAddress = (threads: number): number =>
  threads * shareOfLimits(threads).maxConnectionsPerAddress;
