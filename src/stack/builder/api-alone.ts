import { encodeRelease } from "../../contract/index.ts";
import type { OwnBuild } from "./build-own-site.ts";

/** What is published of a contract that has routes and no site: no page. The edge answers 404 beside the API. */
export async function buildApiAlone(): Promise<OwnBuild> {
  return {
    release: await encodeRelease([]),
    pages: [],
    files: 0,
    bytes: 0,
    warnings: [],
    untranslated: [],
    withheld: [],
    isJailed: true,
  };
}
