/**
 * Where the domain says what an operator should know. Pino fits; so does anything with these three.
 * No prompt text, key or token is ever passed in.
 */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing. */
export const SILENT: Log = Object.freeze({ info: () => undefined, warn: () => undefined, error: () => undefined });
