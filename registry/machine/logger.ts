/**
 * Where the domain reports what an operator should know. Pino fits, and so does anything with these three methods.
 * Log lines never hold a prompt text, a key or a token.
 */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs nothing. */
export const SILENT: Logger = Object.freeze({ info: () => undefined, warn: () => undefined, error: () => undefined });
