/** What everybody may do without credentials, as a deployment open to the public grants it. */

/** Scopes of the role `anonymous`: reading tasks, their states and their public artifacts. */
export const anonymousScopes: readonly string[] = [
  "queue:get-task:*",
  "queue:status:*",
  "queue:list-task-group:*",
  "queue:list-dependent-tasks:*",
  "queue:list-artifacts:*",
  "queue:get-artifact:public/*",
  "queue:pending-count:*",
  "queue:claimed-count:*",
  "queue:list-provisioners",
  "queue:list-task-queues",
  "index:find-task:*",
  "index:list-tasks:*",
  "index:list-namespaces:*",
  "auth:current-scopes",
  "auth:expand-scopes",
];
