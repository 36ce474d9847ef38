import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { has, nodeServer, start } from "./harness.ts";
import type { Peer } from "./harness.ts";

/**
 * Counts the instructions that a server spends on a request outside the kernel, by Valgrind's callgrind: a figure that no
 * neighbour on the machine moves (0.1 % from run to run, where CPU time moves by half).
 */

const run = promisify(execFile);
/** V8 optimises after a hundred thousand requests by default: too many for a machine that Valgrind slows down thirtyfold. */
const optimiseEarly = [
  "--invocation-count-for-feedback-allocation=4",
  "--invocation-count-for-maglev=100",
  "--invocation-count-for-turbofan=400",
];
const warmUp = 12_000;
const counted = 3_000;
const connections = 8;

/** Tells whether {@link countByCallgrind} can work here. */
export const canCount = (): boolean => has("valgrind") && has("callgrind_control");

/**
 * Counts one peer's instructions per request, in user mode, all threads.
 *
 * @param peer a server of ours on Node
 * @param request as it is written to the connection
 * @param folder for files
 */
export async function countByCallgrind(peer: Peer, request: string, folder: string): Promise<number> {
  const file = join(folder, "request.txt");
  const out = join(folder, `callgrind.${peer.name.replaceAll(/\W+/g, "-")}`);
  writeFileSync(file, request);
  const [program = "", ...args] = peer.command;
  const server = await start({
    ...peer,
    command: [
      ...["valgrind", "-q", "--tool=callgrind", `--callgrind-out-file=${out}`],
      ...["--instr-atstart=no", "--smc-check=all-non-file", program, ...optimiseEarly, ...args],
    ],
  });
  const control = (...words: string[]) => run("callgrind_control", [...words, String(server.pid)]);
  const send = (count: number) => {
    const [node = "", ...rest] = nodeServer(
      "load-count.ts",
      String(server.port),
      String(count),
      String(connections),
      file,
    );
    return run(node, rest);
  };
  try {
    await send(warmUp);
    await control("-i", "on");
    // The first two windows still hold what V8 compiles.
    for (let window = 1; window <= 3; window++) {
      await send(counted);
      await control("-d", `window${window}`);
    }
    return Number(/^(?:summary|totals): ([0-9]+)/m.exec(readFileSync(`${out}.3`, "utf8"))?.[1]) / counted;
  } finally {
    await server.stop();
  }
}
