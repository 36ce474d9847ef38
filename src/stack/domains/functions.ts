import { createServer } from "node:http";
import { flushCompileCache } from "node:module";
import { createKeeper } from "../../functions/node.ts";
import { createEventQueue } from "../../ledger/node.ts";
import { openDomainControl } from "../processes/control.ts";
import type { FromDomain, FunctionsConfiguration, ToFunctions } from "../processes/messages.ts";
import { becomeUser } from "./become.ts";
import { loadHttpParser } from "./load-http-parser.ts";
import { reasonOf } from "./reason.ts";

// The keeper's process: takes calls from the edge, and passes them on to the processes of functions, which the supervisor starts for it.
// It opens no file, reaches no network and holds no secret; what functions answer goes through it unread.

const control = openDomainControl<ToFunctions, FromDomain>();
let stop: (graceMs: number) => void = () => process.exit(0);
let tell: (message: ToFunctions) => void = () => undefined;

control.onMessage((message) => {
  if (message.type === "configure") configure(message);
  else if (message.type === "stop") stop(message.graceMs);
  else tell(message);
});
// A terminal's Ctrl-C goes to every process; the supervisor decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop(5000));

function configure({ groups, user, eventsFd, listeners }: FunctionsConfiguration): void {
  try {
    const listener = listeners.find(({ name }) => name === "functions");
    if (listener === undefined) throw new Error("there is no listener for calls");
    const events = createEventQueue({ fd: eventsFd, source: "functions" });
    loadHttpParser();
    flushCompileCache();
    becomeUser(user);
    const keeper = createKeeper({
      groups,
      events: events.send,
      start: (group) => control.send({ type: "start-group", group }),
      kill: (group) => control.send({ type: "kill-group", group }),
      // The supervisor takes it for this domain's line.
      onLine: (line) => void process.stderr.write(`${line}\n`),
    });
    tell = (message) => {
      if (message.type === "group-started") keeper.groupStarted(message.group);
      if (message.type === "group-exited") keeper.groupExited(message.group, message.how);
      if (message.type === "group-replaced") keeper.groupReplaced(message.group);
    };
    // The edge writes whole calls at once; between two of them its connections rest for as long as they like.
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, keeper.handle);
    stop = (graceMs) => {
      server.close();
      void keeper
        .close(graceMs)
        .then(() => events.flush(1000))
        .finally(() => process.exit(0));
    };
    server.listen({ fd: listener.fd }, () => control.send({ type: "ready" }));
  } catch (error) {
    control.send({ type: "failed", ...reasonOf(error) });
  }
}
