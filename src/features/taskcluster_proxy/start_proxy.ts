/** Starts the proxy of one task (spec 04 §8.2, §8.4, §8.5). */

import { revision, version } from "#build";
import { errorText } from "../../base/error_text.ts";
import { TaskException } from "../../task/errors.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { admits } from "./admission.ts";
import { ProxyServer } from "./proxy_server.ts";

const retryForMs = 30_000;
const headMs = 120_000;

/** Gives the function that stops it. @throws TaskException when it can't listen */
export function startProxy(task: TaskRun): () => Promise<void> {
  const server = listen(task);
  task.featureEnvironment.set("TASKCLUSTER_PROXY_URL", `http://127.0.0.1:${server.port}`);
  // Every request asks for the credentials of the moment; this only tells.
  const unsubscribe = task.onCredentials(({ clientId }) => {
    task.log.info(`[taskcluster-proxy] Successfully refreshed taskcluster-proxy credentials: ${clientId}`);
  });
  return async () => {
    unsubscribe();
    await server.stop();
  };
}

function listen(task: TaskRun): ProxyServer {
  const { worker: { config, clock, client, platform }, ports, context, workerLog } = task;
  const authorizedScopes = [...task.definition.scopes, `queue:create-artifact:${task.taskId}/${task.runId}`];
  try {
    return new ProxyServer({
      port: ports.proxy,
      rootUrl: config.rootURL,
      build: { version, revision },
      clock,
      clockSkewMs: () => client.clockSkewMs,
      signer: () => ({ credentials: task.credentials(), authorizedScopes }),
      retryForMs,
      headMs,
      admits(conn) {
        if (admits(conn, { platform, identity: context.identity })) return true;
        const { hostname, port } = conn.remoteAddr;
        workerLog.warn(
          `taskcluster-proxy: refused a connection from ${hostname} port ${port}: not of this task`,
        );
        return false;
      },
    });
  } catch (error) {
    throw new TaskException(
      "internal-error",
      `Cannot start the Taskcluster proxy: cannot listen on port ${ports.proxy} of 127.0.0.1: ${
        errorText(error)
      }. ` +
        "The worker's setting taskclusterProxyPort names the port",
      { cause: error },
    );
  }
}
