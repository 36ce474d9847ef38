// Written by bench/step-costs.ts.

/** What each check took, in instructions of the main thread outside the kernel, on {@link stepCostsMachine}. */
export const stepCosts = {
  "every route": 5_000,
  "limit by client": 3_700,
  token: 2_500,
  "limit by user": 2_800,
  "access by role": 600,
  "access by several": 1_900,
  "access by check": 12_400,
  "access by path": 4_300,
  "access by look-up": 14_200,
  parameters: 11_800,
  query: 19_700,
  headers: 4_100,
  body: 16_000,
  "under way": 3_800,
  failures: 9_600,
  budget: 3_300,
  answer: 5_000,
  etag: 14_700,
  visibility: 1_600,
} as const;

/** Where and when they were counted. */
export const stepCostsMachine = "AMD EPYC, Node 26.10.0, 2026-11-22";
