/** What is said where there is no plan at all, with where one is shown. */
export const noPlan =
  "there is no plan (curtainwall.audit.ts; npx curtainwall audit --help shows one): nobody to be, nothing to ask for";

/** Whatever else is missing then is missing for want of it. */
export const withoutWhatFollows = (reason: string): string => (reason.includes(noPlan) ? noPlan : reason);
