/** When the shop is open, by day of the week from Sunday: opening and closing time, or null. The table and the script both read this. */
export const hours: readonly (readonly [opens: string, closes: string] | null)[] = [
  ["08:30", "12:30"],
  null,
  ["07:30", "15:00"],
  ["07:30", "15:00"],
  ["07:30", "15:00"],
  ["07:00", "16:00"],
  ["07:00", "14:00"],
];

/** Names of the days, from Sunday. */
export const dayNames = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
] as const;

/** Days on which the shop stays closed although the week says otherwise, as month and day. */
export const closures: readonly string[] = ["12-25", "12-26", "01-01"];
