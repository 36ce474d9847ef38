import type { DetectorEntry } from "./detector.ts";

/**
 * What a module that must stay on the server carries into any bundle that it gets into. It is put together here, so that the
 * gate's own code does not carry it.
 */
export const serverOnlyMarker: string = ["curtainwall", "server-only", "9f2c41d07be85a36"].join(":");

/** Next.js' package `server-only` throws this in a browser; a bundle that has it would. */
const nextMarker = ["This module cannot be imported from a Client", "Component module"].join(" ");

const encoder = new TextEncoder();

/** Detector for what {@link serverOnlyMarker} marks. */
export const serverOnlyDetector: DetectorEntry = {
  needles: [serverOnlyMarker, nextMarker].map((text) => encoder.encode(text)),
  detect: (_, start, needle) => ({
    level: "hit",
    rule: "server-only",
    from: start,
    to: start + needle.length,
    message: "a module that is marked as server-only",
    excerpt: "…",
    hint: "Find what imports it on the way to the browser, and move the shared part into a module of its own",
  }),
};
