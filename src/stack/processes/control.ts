import { Socket } from "node:net";

/** What the supervisor and a domain say to each other: one JSON object a line. */
export interface ControlChannel<In, Out> {
  send(message: Out): void;
  onMessage(listener: (message: In) => void): void;
  /** Called when the other side is gone. */
  onClose(listener: () => void): void;
  close(): void;
}

/** A domain's end of the channel is always this descriptor. */
const controlFd = 3;

/** Longest message, in characters; a certificate chain is some 10 000. A side that sends more is cut off. */
const maxMessageLength = 4_194_304;

/** Opens a channel over a connected socket. What can't be parsed ends it: neither side has reason to send such a thing. */
export function openControl<In extends { type: string }, Out extends { type: string }>(
  socket: Socket,
): ControlChannel<In, Out> {
  let rest = "";
  let onMessage: (message: In) => void = () => undefined;
  let onClose: () => void = () => undefined;
  const waiting: In[] = [];
  let listening = false;
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  socket.on("close", () => onClose());
  socket.on("end", () => socket.destroy());
  socket.on("data", (text: string) => {
    rest += text;
    if (rest.length > maxMessageLength) return void socket.destroy();
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      try {
        const message = JSON.parse(line) as In;
        if (listening) onMessage(message);
        else waiting.push(message);
      } catch {
        return void socket.destroy();
      }
    }
  });
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    onMessage(listener) {
      onMessage = listener;
      listening = true;
      for (const message of waiting.splice(0)) listener(message);
    },
    onClose: (listener) => void (onClose = listener),
    close: () => void socket.destroy(),
  };
}

/** The channel of the domain that this process is. When the supervisor is gone, however it went, the domain ends. */
export function openDomainControl<
  In extends { type: string },
  Out extends { type: string },
>(): ControlChannel<In, Out> {
  const control = openControl<In, Out>(new Socket({ fd: controlFd, readable: true, writable: true }));
  control.onClose(() => process.exit(0));
  return control;
}
