/** A value after its way through JSON: a date is a text. */
export type Travelling<Value> = Value extends Date
  ? string
  : Value extends bigint
    ? number
    : Value extends object
      ? { [K in keyof Value]: Travelling<Value[K]> }
      : Value;
