// The login, which the app asks for its key, and then the app.
import "./login.js";
await import("./server.js");

const address = `http://127.0.0.1:${process.env.PORT ?? 3000}`;
console.log(
  `In another terminal, at the root of the repository: npx curtainwall audit examples/naive ${address}`,
);
