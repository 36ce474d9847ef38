import type { Suite } from "./run.ts";

export const gateway: Suite = async () => [];
