const origin = /^(?:https|wss):\/\/(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::[0-9]{1,5})?$/;
const hash = /^'sha256-[A-Za-z0-9+/]{43}='$/;

/** Tells whether a source is one origin, as policies can name it: they have no words for IPv6 addresses, and browsers differ on `_`. */
export const isExactOrigin = (source: string): boolean => origin.test(source);

/** Tells whether a source is the hash of one text. */
export const isExactHash = (source: string): boolean => hash.test(source);
