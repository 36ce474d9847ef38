import { counted } from "./counted.ts";

/** Says how long something took, in the unit that leaves a number of a few digits. */
export function spellDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return counted(seconds, "second");
  if (seconds < 7200) return counted(Math.round(seconds / 60), "minute");
  return seconds < 172_800
    ? counted(Math.round(seconds / 3600), "hour")
    : counted(Math.round(seconds / 86_400), "day");
}
