import { defineFunction } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";

/** Somebody else's function, which must go on answering. */
export default defineFunction<typeof contract, "GET /api/neighbour">(() => ({ well: true }));
