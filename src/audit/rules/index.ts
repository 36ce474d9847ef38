import type { Rule } from "../check.ts";
import { api1 } from "./api-1/api-1.ts";
import { api2 } from "./api-2/api-2.ts";
import { api3 } from "./api-3/api-3.ts";
import { api5 } from "./api-5/api-5.ts";
import { api7 } from "./api-7/api-7.ts";
import { api8 } from "./api-8/api-8.ts";
import { api4, fe6 } from "./output.ts";
import { fe1 } from "./fe-1/fe-1.ts";
import { fe2 } from "./fe-2/fe-2.ts";
import { fe4 } from "./fe-4/fe-4.ts";
import { mon1 } from "./mon-1/mon-1.ts";
import { sec2 } from "./sec-2/sec-2.ts";
import { sec3 } from "./sec-3/sec-3.ts";
import { sec5 } from "./sec-5/sec-5.ts";

/** Every rule there is. API-2 comes last: it spends users' allowances, which the others would have to wait for. */
export const rules: readonly Rule[] = [
  api1,
  api3,
  api4,
  api5,
  api7,
  api8,
  fe1,
  fe2,
  fe4,
  fe6,
  sec2,
  sec3,
  sec5,
  mon1,
  api2,
];
