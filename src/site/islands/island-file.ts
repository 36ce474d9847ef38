import type { SourceFile } from "../source.ts";

/** An island's module, bundled for browsers. It is published under the name with its hash, when a page has the island. */
export interface IslandFile extends SourceFile {
  /** It calls the API. */
  readonly calls: boolean;
  /** It makes markup of texts, through the sanitiser and the Trusted Types policy of that. */
  readonly makesHtml: boolean;
}
