import type { Charge } from "./counting.ts";

/**
 * The generic cell rate algorithm in a store that hosts share: all limits of one subject in one step, in order, until one refuses. The time is
 * the store's own, since hosts' clocks differ; counters go when they are whole again. A negative cost gives back.
 *
 * KEYS: the counters. ARGV, for each: interval in microseconds, burst, cost. Answers what `LimitStore.take` returns, for each.
 */
export const limitScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local left = {}
for i, key in ipairs(KEYS) do
  local interval, burst, cost = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local ahead = tonumber(redis.call('GET', key) or now) - now
  if ahead < 0 or ahead > burst * interval + 60000000 then ahead = 0 end
  local room = (burst - cost) * interval
  if ahead > room then
    left[i] = -math.max(1, math.ceil((ahead - room) / 1000))
    return left
  end
  local whole = math.max(0, ahead + cost * interval)
  if whole > 0 then
    redis.call('SET', key, string.format('%.0f', now + whole), 'PX', math.ceil(whole / 1000))
  elseif ahead > 0 then
    redis.call('DEL', key)
  end
  left[i] = math.floor((room - ahead) / interval)
end
return left`;

/** What the names of all counters begin with. */
export const limitKeyPrefix = "cw:{";

/** The script's arguments for one charge. */
export function scriptArguments({ limit, cost }: Charge): string[] {
  const { intervalMs, burst } = limit.rate;
  return [String(Math.ceil(intervalMs * 1000)), String(burst), String(cost)];
}
