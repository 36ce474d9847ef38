// The bytes that markup is made of, by their names in Unicode.
export const space = 0x20;
export const lessThan = 0x3c;
export const greaterThan = 0x3e;
export const solidus = 0x2f;
export const equalsSign = 0x3d;
export const quotationMark = 0x22;
export const apostrophe = 0x27;
export const hyphen = 0x2d;
export const exclamationMark = 0x21;
export const questionMark = 0x3f;
