// The login, which the app asks for its key, and then the app.
import "./login.js";
await import("./server.js");
