import type { PeerResult as ServerResult } from "./harness.ts";

/** One row. What was not measured is not a number, and a column of nothing else is left out. */
export interface PeerResult extends ServerResult {
  /** As `ratioMedian`, of elapsed time. */
  readonly wallRatioMedian?: number;
  /** Milliseconds that somebody waits for all of it. */
  readonly wallMedianMs?: number;
}

/** One table. */
export interface Table {
  readonly title: string;
  /** What is measured, in a line. */
  readonly note?: string;
  readonly results: readonly PeerResult[];
}

interface Column {
  readonly title: string;
  readonly digits: number;
  readonly value: (result: PeerResult, first: PeerResult) => number | undefined;
}

const columns: readonly Column[] = [
  { title: "× best", digits: 2, value: ({ cpuBest }, first) => first.cpuBest / cpuBest },
  { title: "× median", digits: 2, value: ({ ratioMedian }) => ratioMedian },
  { title: "× wall median", digits: 2, value: ({ wallRatioMedian }) => wallRatioMedian },
  { title: "wall ms", digits: 0, value: ({ wallMedianMs }) => wallMedianMs },
  { title: "CPU best", digits: 1, value: ({ cpuBest }) => cpuBest },
  { title: "CPU median", digits: 1, value: ({ cpuMedian }) => cpuMedian },
  { title: "user best", digits: 1, value: ({ userBest }) => userBest },
  { title: "1000 instructions", digits: 0, value: ({ instructionsK }) => instructionsK },
  { title: "req/s", digits: 0, value: ({ perSecondMedian }) => perSecondMedian },
  { title: "p99 ms", digits: 1, value: ({ p99MsMedian }) => p99MsMedian },
  { title: "RSS MB", digits: 0, value: ({ rssMb }) => rssMb },
];

/** Prints a table, without the columns that nobody measured. */
export function printTable({ title, note, results }: Table): void {
  console.log(`\n${title}`);
  if (note !== undefined) console.log(note);
  const [first] = results;
  if (first === undefined) return;
  const width = Math.max(...results.map(({ name }) => name.length));
  const shown = columns.filter(({ value }) => results.some((result) => isMeasured(value(result, first))));
  console.log(["".padEnd(width), ...shown.map((column) => column.title)].join("  "));
  for (const result of results) {
    const cells = shown.map((column) => {
      const value = column.value(result, first);
      const text = isMeasured(value) ? value.toFixed(column.digits) : "–";
      return text.padStart(column.title.length);
    });
    console.log([result.name.padEnd(width), ...cells].join("  "));
  }
}

function isMeasured(value: number | undefined): value is number {
  return value !== undefined && !Number.isNaN(value);
}
