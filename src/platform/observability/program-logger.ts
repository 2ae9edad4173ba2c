/** What the gate logs through: pino's loggers fit, and so does a few lines' wrapper of any other. */
export interface ProgramLogger {
  trace?(details: object, message: string): void;
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  /** absent: every level down to info is wanted */
  isLevelEnabled?(level: string): boolean;
}
