/** Serves the log of one task: on the port of its slot for this machine, and on an exposed one for everybody. */

import { Secret } from "../../base/secret.ts";
import { errorText } from "../../base/error_text.ts";
import { ConnectionListener, type ServeConnection } from "../../exposure/connection_listener.ts";
import { exposeLocally, type Exposure } from "../../exposure/local_exposure.ts";
import { LiveLogServer } from "../../log/live_log_server.ts";
import type { TaskRun } from "../../task/task_run.ts";

/** A log that can be followed. */
export interface ServedLog {
  /** Whoever knows it may read the log (weakness LF-8). */
  readonly url: Secret;
  /** Settles when the log has ended and its readers have it all, or had time enough. Never rejects. */
  readonly finished: Promise<void>;
  /** The text without the token, should it be in there. */
  hide(text: string): string;
  /** Lets nobody new in; those that are in go on. Settles when the ports are free for the slot's next task. */
  close(): Promise<void>;
}

/**
 * Listens at once.
 *
 * @throws Error when a port is taken or the log can't be read
 */
export function serveLog(task: TaskRun, publicIP: string): ServedLog {
  const { log, ports, worker: { clock } } = task;
  if (log.closed) throw new Error("The task has ended");
  const server = new LiveLogServer({ log, clock });
  const serve: ServeConnection = (connection) => {
    connection.setNoDelay(true);
    return server.serve(connection);
  };
  let listener: ConnectionListener | undefined;
  try {
    listener = listen(ports.liveLogGet, serve);
    const exposure = expose(task, { publicIP, serve });
    return {
      url: new Secret(exposure.url + server.path.reveal()),
      finished: server.finished,
      hide: (text) => text.replaceAll(server.token.reveal(), `${server.token}`),
      close: async () => void await Promise.all([listener?.close(), exposure.close()]),
    };
  } catch (error) {
    void listener?.close();
    void server.stop();
    throw error;
  }
}

function expose(
  { worker: { config }, workerLog }: TaskRun,
  { publicIP, serve }: { publicIP: string; serve: ServeConnection },
): Exposure {
  return exposeLocally(serve, {
    publicIP,
    port: config.livelogExposePort,
    onOtherPort: (message) => workerLog.warn(`Live log: ${message}`),
  });
}

/** A port that somebody else has is never talked to (weakness K43). */
function listen(port: number, serve: ServeConnection): ConnectionListener {
  try {
    return new ConnectionListener({ hostname: "127.0.0.1", port }, serve);
  } catch (error) {
    throw new Error(`cannot listen on port ${port} of 127.0.0.1: ${errorText(error)}`, { cause: error });
  }
}
