export { createAddressBook } from "./node/address-book.ts";
export type { AddressBook, AddressBookOptions, Lookup } from "./node/address-book.ts";
export { createCompressor } from "./node/compressor.ts";
export type { Compressed, CompressedForms, Compressor } from "./node/compressor.ts";
export { holdFileLock, isLockHeld, withFileLock } from "./node/file-lock.ts";
export type { FileLockOptions } from "./node/file-lock.ts";
export { meantFolder } from "./node/meant-folder.ts";
