import { startStack } from "../../src/stack/index.ts";

// Serves a site in a process of its own, until its stdin ends. What the test's process has in its memory is not in this one's.

const [, , path = "."] = process.argv;
const stack = await startStack({ path });
console.log(`port ${stack.port}`);
process.stdin.on("end", () => void stack.close().then(() => process.exit(0)));
process.stdin.resume();
