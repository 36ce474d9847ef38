/**
 * `import "curtainwall/server-only"` in a module that must stay on the server. A bundle for browsers that has it carries the text
 * below, since an assignment to the global object is an effect that no bundler may drop, and the leak gate finds it there. Whoever
 * switched the gate off meets the error.
 */
const marker = "curtainwall:server-only:9f2c41d07be85a36";

Object.assign(globalThis, { [Symbol.for("curtainwall.server-only")]: marker });

if ("document" in globalThis)
  throw new Error("This module must stay on the server, and a browser has loaded it.");
