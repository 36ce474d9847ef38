import type { Page } from "playwright-core";
import type { Observation } from "../../learn/observation.ts";

const message = /^Applying inline style violates .*? a hash \('sha256-([A-Za-z0-9+/]{43}=)'\)/s;
/** The directive that refused it, or, if that is for all styles, the note about a keyword that it lacks. */
const aboutAttribute = /directive ['"]style-src-attr|hashes do not apply to event handlers, style attributes/;

/**
 * Collects the hashes of inline styles as Chromium's console tells them: those of styles too that are gone again, or another text, by the
 * time the page hears of them.
 */
export function collectStyleHashes(
  page: Page,
  fileOf: (pathname: string) => string | undefined,
): Observation[] {
  const observations: Observation[] = [];
  let current: string | undefined;
  page.on("response", (response) => {
    const request = response.request();
    if (request.isNavigationRequest() && request.frame() === page.mainFrame())
      current = fileOf(new URL(response.url()).pathname);
  });
  page.on("console", (entry) => {
    // The browser's own words have no arguments; what a script of the page writes has.
    if (entry.args().length > 0) return;
    const text = entry.text();
    const hash = message.exec(text)?.[1];
    if (hash === undefined || current === undefined) return;
    const directive = aboutAttribute.test(text) ? "style-src-attr" : "style-src-elem";
    observations.push({ page: current, directive, blocked: "inline", hash, sample: "" });
  });
  return observations;
}

/** All that was seen, without what was seen of a style whose hash the console told. */
export function withStyleHashes(
  seen: readonly Observation[],
  told: readonly Observation[],
): readonly Observation[] {
  const kinds = new Set(told.map(({ page, directive }) => `${page} ${directive}`));
  const isTold = ({ page, directive, blocked, hash }: Observation): boolean =>
    blocked === "inline" && hash === undefined && kinds.has(`${page} ${directive}`);
  return [...seen.filter((observation) => !isTold(observation)), ...told];
}
