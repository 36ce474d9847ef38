/** Codes of the errors that `ledger` throws. Each has an anchor in `docs/errors.md`. */
export type LedgerErrorCode = "LEDGER_FILE_UNUSABLE" | "LEDGER_IN_USE" | "LEDGER_WRITE_FAILED";
