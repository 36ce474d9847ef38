import type { Check } from "../../check.ts";
import { parsePolicy } from "../../answers/policy.ts";
import { isHtml, noRelease, withoutPages } from "../shared.ts";

/** Browsers of today go by `report-to` and the header that it names, older ones by `report-uri`: a page says both, or some report nothing. */
export const violationsReported: Check = {
  name: "every page says where its violations are reported",
  kind: "built",
  isSupporting: true,
  notApplicable: (context) =>
    withoutPages(context) ??
    (context.contract.reports === undefined ? "the site takes no reports of browsers" : undefined),
  run: async (context, tally) => {
    const { release, contract } = context;
    if (release === undefined) return tally.miss(noRelease(context));
    const { path = "" } = contract.reports ?? {};
    for (const file of release.manifest.files.filter(isHtml)) {
      const header = (name: string): string => file.headers.find(([other]) => other === name)?.[1] ?? "";
      const policy = parsePolicy(header("content-security-policy"));
      const endpoints = header("reporting-endpoints").split(",");
      const [endpoint] = policy.get("report-to") ?? [];
      const faults = [
        ...(policy.get("report-uri")?.includes(path) === true ? [] : [`report-uri is not ${path}`]),
        ...(endpoint !== undefined && endpoints.some((one) => one.trim() === `${endpoint}="${path}"`)
          ? []
          : [`report-to leads to no endpoint at ${path}`]),
      ];
      tally.expect(faults.length === 0, {
        kind: "file",
        about: `${file.path}: ${faults.length === 0 ? `violations go to ${path}` : faults.join("; ")}`,
        file: file.path,
        excerpt: header("content-security-policy"),
      });
    }
  },
};
