import { flushCompileCache } from "node:module";
import { createEventQueue } from "../../ledger/node.ts";
import { openDomainControl } from "../processes/control.ts";
import { serveEgress } from "../egress/serve-egress.ts";
import { loadContract } from "../contract/load-contract.ts";
import type { EgressConfiguration, FromDomain, ToEgress } from "../processes/messages.ts";
import { becomeUser } from "./become.ts";
import { loadHttpParser } from "./load-http-parser.ts";
import { reasonOf } from "./reason.ts";

// The egress's process: the only one that sends anything to other people's services, and besides the vault the only one that has values of
// secrets, while they are used. It loads all that it needs, gives up its rights, and asks for the first value only when a request needs it.

const control = openDomainControl<ToEgress, FromDomain>();
let stop: (graceMs: number) => void = () => process.exit(0);

control.onMessage((message) => {
  if (message.type === "stop") return stop(message.graceMs);
  serve(message).then(
    () => control.send({ type: "ready" }),
    (error: unknown) => control.send({ type: "failed", ...reasonOf(error) }),
  );
});
// A terminal's Ctrl-C goes to every process; the supervisor decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop(5000));

async function serve(configuration: EgressConfiguration): Promise<void> {
  const { contractFile, eventsFd, memoryFolder, user } = configuration;
  const { contract } = await loadContract(contractFile);
  const queue = createEventQueue({ fd: eventsFd, source: "egress" });
  // With it comes the gateway, for the one script that may be run there.
  const limits =
    contract.limitStore?.secret === undefined ? undefined : await import("../egress/limits-relay.ts");
  loadHttpParser();
  flushCompileCache();
  // By its folder from now on: once root is given up, the folders above it may be out of reach. No file in it is opened before that.
  if (memoryFolder !== undefined) process.chdir(memoryFolder);
  becomeUser(user);
  const served = serveEgress({
    contract,
    configuration,
    events: queue.send,
    // The present folder: see above.
    memoryFolder: memoryFolder === undefined ? undefined : ".",
    openLimits: limits?.openLimitsRelay,
  });
  await served.listen();
  let isStopping = false;
  stop = (graceMs) => {
    if (isStopping) return;
    isStopping = true;
    served
      .close(graceMs)
      .then(() => queue.flush(1000))
      .finally(() => process.exit(0))
      .catch(() => undefined);
  };
}
