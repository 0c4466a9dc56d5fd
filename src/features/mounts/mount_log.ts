/** What mounts write into a task's log: every message starts with `[mounts] ` (spec 03 §6.1). */

/** Where the messages about one task's mounts go. */
export interface MountLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** A mount can't be done; the message is for the task's log, without the prefix. */
export class MountError extends Error {
  override name = "MountError";
}

/** The log with the prefix before each message. */
export function mountLog(log: MountLog): MountLog {
  return {
    info: (message) => log.info(mountsPrefix + message),
    warn: (message) => log.warn(mountsPrefix + message),
    error: (message) => log.error(mountsPrefix + message),
  };
}

/** Before every message about mounts. */
export const mountsPrefix = "[mounts] ";
