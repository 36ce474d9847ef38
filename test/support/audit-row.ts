/** A row of a report, for tests outside of the audit: its verdict is drawn as the audit draws it. */
export { row } from "../../src/audit/fixtures/report.ts";
