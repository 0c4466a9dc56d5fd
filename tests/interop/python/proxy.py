"""Runs inside a task: what the stock Python client does through the proxy."""

import os

import taskcluster

root = {"rootUrl": os.environ["TASKCLUSTER_PROXY_URL"]}
task_id = os.environ["TASK_ID"]
queue = taskcluster.Queue(root)
index = taskcluster.Index(root)

assert queue.status(task_id)["status"]["state"] == "running"
expires = taskcluster.fromNowJSON("1 hour")
queue.createArtifact(
    task_id,
    os.environ["RUN_ID"],
    "public/a b%2F/python",
    {
        "storageType": "reference",
        "url": "https://example.com/python",
        "contentType": "text/plain",
        "expires": expires,
    },
)
index.insertTask(
    "proxy.test.python",
    {"taskId": task_id, "rank": 1, "data": {"client": "python"}, "expires": expires},
)
assert index.findTask("proxy.test.python")["taskId"] == task_id
for call, status in (
    (lambda: queue.cancelTask(task_id), 403),
    (lambda: index.findTask("proxy.test.absent"), 404),
):
    try:
        call()
    except taskcluster.exceptions.TaskclusterRestFailure as failure:
        assert failure.status_code == status, failure
    else:
        raise AssertionError("the call succeeded")
for _ in range(100):
    queue.task(task_id)
