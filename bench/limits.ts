import type { Table } from "./print-table.ts";
import type { Suite } from "./run.ts";
import { runWorker, workerRow } from "./worker.ts";

const sizes = [10, 1000, 100_000, 1_000_000];

interface LimitSample {
  readonly ns: number;
  readonly mb: number;
}

/** What a limit costs a request when so many clients are limited. PERFORMANCE.md, scale. */
export const limits: Suite = async ({ seconds, say }) => {
  const rounds = Math.max(2, Math.floor(seconds / 60));
  const samples = new Map<number, LimitSample[]>();
  for (let round = 1; round <= rounds; round++) {
    say(`limits: round ${round} of ${rounds}`);
    for (const clients of sizes)
      samples.set(clients, [
        ...(samples.get(clients) ?? []),
        runWorker<LimitSample>("limits-worker.ts", clients),
      ]);
  }
  const results = sizes.map((clients) => {
    const taken = samples.get(clients) ?? [];
    const name = `${clients.toLocaleString("en")} clients`;
    return workerRow(
      name,
      taken.map(({ ns }) => ns),
      taken.map(({ mb }) => mb),
    );
  });
  const table: Table = {
    title: "One limit per client, counters for 1,000,000 clients, chosen at random among so many",
    note: "CPU in nanoseconds a request; RSS is the whole process's",
    results,
  };
  return [table];
};
