import { Worker } from "node:worker_threads";
import { CurtainwallError } from "../../shared/index.ts";

/** What the thread says of a contract. */
type Said = { readonly code: string; readonly message: string; readonly hint: string | undefined } | "sound";

/**
 * Reads a contract as a new process would, and asks whether it may be published: in a thread of its own, which has read none yet.
 *
 * @throws {CurtainwallError} what `loadContract` and `assertPermitted` throw
 */
export async function checkContract(file: string): Promise<void> {
  const room = new URL(`../../stack/index.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
  const code = `import { parentPort, workerData } from "node:worker_threads";
const { assertPermitted, loadContract } = await import(workerData.room);
const check = async () => assertPermitted(await loadContract(workerData.file), { not: "published" });
const said = await check().then(() => "sound", ({ code, message, hint }) => ({ code, message, hint }));
parentPort.postMessage(said);`;
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { room: room.href, file },
  });
  const said = await new Promise<Said>((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
  });
  await thread.terminate();
  if (said === "sound") return;
  const { message, hint } = said;
  throw new CurtainwallError(said.code, message, hint === undefined ? {} : { hint });
}
