"""Tasks are created, claimed, reclaimed, resolved in each way, retried and cancelled."""

import taskcluster
from deployment import POOL, claim, client, create_task, definition, refused

queue = client("Queue")


def run_states(task_id):
    runs = queue.status(task_id)["status"]["runs"]
    return [(run["state"], run["reasonCreated"], run.get("reasonResolved")) for run in runs]


# Creating the same task again changes nothing; another task of the same id is refused.
task_id = taskcluster.slugId()
task = definition(payload={"command": [["echo", "grüße"]]})
queue.createTask(task_id, task)
queue.createTask(task_id, task)
with refused(409, "RequestConflict"):
    queue.createTask(task_id, {**task, "payload": {}})
assert queue.task(task_id)["payload"] == task["payload"]
assert run_states(task_id) == [("pending", "scheduled", None)]
assert queue.pendingTasks(POOL)["pendingTasks"] == 1

# Claim, reclaim and completion, each with the credentials of the step before.
found, run_queue = claim(task_id)
assert found["task"]["payload"] == task["payload"]
assert found["runId"] == 0
assert run_states(task_id) == [("running", "scheduled", None)]
reclaimed = run_queue.reclaimTask(task_id, "0")
assert reclaimed["takenUntil"] >= found["takenUntil"]
assert reclaimed["credentials"]["certificate"] != found["credentials"]["certificate"]
client("Queue", reclaimed["credentials"]).reportCompleted(task_id, "0")
assert run_states(task_id) == [("completed", "scheduled", "completed")]
with refused(409, "RequestConflict"):
    run_queue.reclaimTask(task_id, "0")

# Credentials of one run are worth nothing for another.
other = create_task()
_, other_queue = claim(other)
with refused(403, "InsufficientScopes"):
    run_queue.reportCompleted(other, "0")
other_queue.reportFailed(other, "0")
assert run_states(other) == [("failed", "scheduled", "failed")]

# An exception by fault of the worker gives the task another run; one by fault of the task does not.
retried = create_task(retries=1)
_, run_queue = claim(retried)
run_queue.reportException(retried, "0", {"reason": "worker-shutdown"})
assert run_states(retried) == [
    ("exception", "scheduled", "worker-shutdown"),
    ("pending", "retry", None),
]
_, run_queue = claim(retried)
run_queue.reportException(retried, "1", {"reason": "malformed-payload"})
assert run_states(retried)[1] == ("exception", "retry", "malformed-payload")
assert queue.status(retried)["status"]["state"] == "exception"

# A cancelled run cannot be reported any more.
cancelled = create_task()
_, run_queue = claim(cancelled)
queue.cancelTask(cancelled)
assert run_states(cancelled) == [("exception", "scheduled", "canceled")]
with refused(409, "RequestConflict"):
    run_queue.reportCompleted(cancelled, "0")

# A task waits for what it depends on, and takes its turn by priority.
first = create_task(priority="low")
waiting = create_task(dependencies=[first], priority="highest")
assert queue.status(waiting)["status"]["state"] == "unscheduled"
urgent = create_task(priority="high")
claim(urgent)[1].reportCompleted(urgent, "0")
claim(first)[1].reportCompleted(first, "0")
claim(waiting)[1].reportCompleted(waiting, "0")
