import type { Door } from "./gates.ts";
import type { Hold } from "./hold.ts";

const busy = { refusal: { code: "GATEWAY_BUSY", headers: ["retry-after", "1"] } } as const;

/** Lets so many requests be under way at once: a route's, and all that go to its upstream. Undefined if nothing says how many. */
export function compileDoors(doors: readonly Door[]): Hold | undefined {
  if (doors.length === 0) return undefined;
  const finish = (): void => {
    for (const door of doors) door.leave();
  };
  return (_passage, _body, done) => {
    for (const [index, door] of doors.entries()) {
      if (door.enter()) continue;
      for (const entered of doors.slice(0, index)) entered.leave();
      return done(busy);
    }
    done({ finish });
  };
}
