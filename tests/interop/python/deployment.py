"""What the scripts share: clients of the deployment that the environment names, tasks for it, and refusals."""

import contextlib

import taskcluster
import taskcluster.exceptions

OPTIONS = {**taskcluster.optionsFromEnvironment(), "maxRetries": 0}
POOL = "interop/python"


def client(service, credentials=None, **options):
    """A client of the service: with the environment's credentials, or others."""
    chosen = {} if credentials is None else {"credentials": credentials}
    return getattr(taskcluster, service)({**OPTIONS, **chosen, **options})


def anonymous(service):
    """A client of the service without credentials."""
    return getattr(taskcluster, service)({"rootUrl": OPTIONS["rootUrl"], "maxRetries": 0})


def definition(**changes):
    """A task of the pool that asks for nothing special."""
    task = {
        "taskQueueId": POOL,
        "created": taskcluster.fromNowJSON("0 seconds"),
        "deadline": taskcluster.fromNowJSON("1 hour"),
        "expires": taskcluster.fromNowJSON("1 day"),
        "payload": {"command": [["true"]], "maxRunTime": 60},
        "metadata": {
            "name": "interop",
            "description": "A task of the interop tests",
            "owner": "someone@example.com",
            "source": "https://example.com/",
        },
    }
    return {**task, **changes}


def create_task(**changes):
    """Creates a task and gives its id."""
    task_id = taskcluster.slugId()
    client("Queue").createTask(task_id, definition(**changes))
    return task_id


def claim(task_id):
    """Claims the pool's next task, which must be this one; gives the claim and a queue client of the run."""
    answer = client("Queue").claimWork(
        POOL, {"workerGroup": "lab", "workerId": "box-1", "tasks": 1}
    )
    (found,) = answer["tasks"]
    assert found["status"]["taskId"] == task_id, found["status"]
    return found, client("Queue", found["credentials"])


@contextlib.contextmanager
def refused(status_code, code):
    """The block must end in a refusal with this HTTP status and this code of the service."""
    try:
        yield
    except taskcluster.exceptions.TaskclusterRestFailure as failure:
        seen = (failure.status_code, failure.body.get("code"))
        assert seen == (status_code, code), (seen, failure.body)
    else:
        raise AssertionError(f"Nothing was refused, expected {status_code} {code}")
