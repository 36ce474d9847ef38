import type { ApiHandler } from "../../edge/index.ts";

/** The API, and beside it the endpoint of browsers' reports: its path is its own, whatever the routes are called. */
export function besideReports(api: ApiHandler, reports: ApiHandler): ApiHandler {
  return {
    matches: (path) => reports.matches(path) || api.matches(path),
    handle: (request, respond) => (reports.matches(request.path) ? reports : api).handle(request, respond),
  };
}
