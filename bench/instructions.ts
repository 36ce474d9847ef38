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
/** Before the first window, as many again as are counted come on top. */
const warmUp = 4_000;
const connections = 8;

/** Tells whether {@link countByCallgrind} can work here. */
export const canCount = (): boolean => has("valgrind") && has("callgrind_control");

/**
 * Counts one peer's instructions per request, in user mode, of its main thread: V8 compiles in the others, for as long as it has time to.
 *
 * @param peer a server of ours on Node
 * @param request as it is written to the connection
 * @param counted requests in one window
 * @param folder for files
 */
export async function countByCallgrind(
  peer: Peer,
  request: string,
  counted: number,
  folder: string,
): Promise<number> {
  const file = join(folder, "request.txt");
  const out = join(folder, `callgrind.${peer.name.replaceAll(/\W+/g, "-")}`);
  writeFileSync(file, request);
  const [program = "", ...args] = peer.command;
  const server = await start({
    ...peer,
    command: [
      ...["valgrind", "-q", "--tool=callgrind", `--callgrind-out-file=${out}`],
      ...[
        "--separate-threads=yes",
        "--instr-atstart=no",
        "--smc-check=all-non-file",
        program,
        ...optimiseEarly,
        ...args,
      ],
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
    // The first window still holds what Valgrind sees for the first time.
    for (let window = 1; window <= 2; window++) {
      await send(counted);
      await control("-d", `window${window}`);
    }
    return Number(/^(?:summary|totals): ([0-9]+)/m.exec(readFileSync(`${out}.2-01`, "utf8"))?.[1]) / counted;
  } finally {
    await server.stop();
  }
}
