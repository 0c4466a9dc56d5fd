"""Two hundred tasks of every kind, created at once; each must end as it should, with the right log and artifacts.

The worker is somebody else's business: a line on standard output says when it is to be told to end.
"""

import asyncio
import hashlib
import sys
import time

import aiohttp
import requests
import taskcluster
import taskcluster.aio
from deployment import OPTIONS, client, create_task, definition

BACKING = "public/logs/live_backing.log"
LIVE = "public/logs/live.log"
LOGS = [LIVE, BACKING]
COPIES = 10

queue = client("Queue")


def shell(script, **more):
    return {"command": [["/bin/sh", "-c", script]], "maxRunTime": 120, **more}


def file(name, **more):
    return {"type": "file", "path": name, "name": f"public/{name}", **more}


def lines(count):
    """The bytes that `seq 1 count` prints."""
    return b"".join(b"%d\n" % n for n in range(1, count + 1))


class Kind:
    """What tasks of one kind ask for, and what must become of them."""

    def __init__(self, name, payload, ends, artifacts=LOGS, says=(), output=None, files=None, **task):
        self.name = name
        self.payload = payload
        self.ends = ends
        self.artifacts = artifacts
        self.says = says
        self.output = output
        self.files = files or {}
        self.task = task


COMPLETED = ["completed/completed"]
FAILED = ["failed/failed"]
MALFORMED = ["exception/malformed-payload"]

KINDS = [
    Kind("success", shell("echo hello"), COMPLETED, output=b"hello\n"),
    Kind("failure", shell("echo no; exit 3"), FAILED, output=b"no\n", says=["exit status 3"]),
    Kind("crash", shell("kill -SEGV $$"), FAILED, says=["signal: segmentation fault"]),
    Kind(
        "several commands",
        {"command": [["/bin/echo", w] for w in "one two three".split()], "maxRunTime": 60},
        COMPLETED,
        says=["Executing command 2: /bin/echo three\nthree\n"],
    ),
    Kind(
        "second command fails",
        {"command": [["true"], ["false"], ["echo", "never"]], "maxRunTime": 60},
        FAILED,
        says=["Executing command 1: false\n", "exit status 1"],
    ),
    Kind("missing program", {"command": [["/no/such/program"]], "maxRunTime": 60}, FAILED),
    Kind(
        "environment",
        shell('printf "%s|%s|%s\\n" "$A" "$TASK_ID" "$RUN_ID"', env={"A": "grüße, 'x' $HOME"}),
        COMPLETED,
        output="grüße, 'x' $HOME|{task_id}|0\n",
    ),
    Kind(
        "malformed payload",
        {"command": "echo", "maxRunTime": "long", "surprise": True},
        MALFORMED,
        artifacts=[BACKING],
        says=["Additional property surprise is not allowed"],
    ),
    Kind("no scopes", shell("true", osGroups=["audio"]), MALFORMED, says=['Feature "OS Groups" requires']),
    Kind(
        "too long",
        shell("true") | {"maxRunTime": 100_000},
        MALFORMED,
        says=["task's maxRunTime of 100000 exceeded allowed maximum of 86400"],
    ),
    Kind(
        "intermittent for ever",
        shell("exit 7", onExitStatus={"retry": [7]}),
        ["exception/intermittent-task"] * 3,
        retries=2,
        says=["exit code 7 found in payload's onExitStatus.retry list"],
    ),
    Kind(
        "intermittent once",
        shell("exit $((7 * (1 - RUN_ID)))", onExitStatus={"retry": [7]}),
        ["exception/intermittent-task", "completed/completed"],
        retries=2,
    ),
    Kind(
        "time limit",
        shell("echo begun; sleep 600; echo never") | {"maxRunTime": 1},
        FAILED,
        says=["begun\n", "task aborted - max run time exceeded"],
    ),
    Kind(
        "files and directories",
        shell(
            "seq 1 50000 > text.txt; printf '\\001\\000\\377' > raw.bin; mkdir -p d/e; echo x > d/x; echo y > d/e/y",
            artifacts=[
                file("text.txt"),
                file("raw.bin", contentEncoding="identity", contentType="application/x-raw"),
                {"type": "directory", "path": "d", "name": "public/d"},
            ],
        ),
        COMPLETED,
        artifacts=[*LOGS, "public/text.txt", "public/raw.bin", "public/d/x", "public/d/e/y"],
        files={
            "public/text.txt": lines(50_000),
            "public/raw.bin": b"\x01\x00\xff",
            "public/d/x": b"x\n",
            "public/d/e/y": b"y\n",
        },
    ),
    Kind(
        "missing artifact",
        shell("echo here > here.txt", artifacts=[file("gone.txt"), file("here.txt")]),
        FAILED,
        artifacts=[*LOGS, "public/gone.txt", "public/here.txt"],
        files={"public/here.txt": b"here\n"},
        says=["file-missing-on-worker"],
    ),
    Kind(
        "missing optional artifact",
        shell("true", artifacts=[file("gone.txt", optional=True)]),
        COMPLETED,
        artifacts=[*LOGS, "public/gone.txt"],
    ),
    Kind(
        "failure with artifacts",
        shell("echo why > why.txt; exit 1", artifacts=[file("why.txt")]),
        FAILED,
        artifacts=[*LOGS, "public/why.txt"],
        files={"public/why.txt": b"why\n"},
    ),
    Kind("no logs", shell("true", features={"backingLog": False, "liveLog": False}), COMPLETED, artifacts=[]),
    Kind(
        "log of another name",
        shell("echo quiet", logs={"backing": "public/b.txt", "live": "public/l.txt"}),
        COMPLETED,
        artifacts=["public/b.txt", "public/l.txt"],
    ),
]
BIG = Kind("big log", shell("seq 1 5000000"), COMPLETED, output=lines(5_000_000))
CANCELLED = Kind("cancelled", shell("echo never"), ["exception/canceled"], artifacts=[])
STOPPED = Kind(
    "cancelled while it runs",
    shell("sleep 600; echo never"),
    ["exception/canceled"],
    says=["[taskcluster:error] The task was cancelled\n"],
)


def expected_tasks():
    tasks = {taskcluster.slugId(): kind for kind in KINDS for _ in range(COPIES)}
    tasks |= {taskcluster.slugId(): BIG for _ in range(2)}
    tasks |= {taskcluster.slugId(): CANCELLED for _ in range(6)}
    tasks |= {taskcluster.slugId(): STOPPED for _ in range(2)}
    return tasks


async def create(tasks):
    async with aiohttp.ClientSession() as session:
        creating = taskcluster.aio.Queue(OPTIONS, session=session)
        await asyncio.gather(
            *(
                creating.createTask(task_id, definition(payload=kind.payload, **kind.task))
                for task_id, kind in tasks.items()
            )
        )
        await asyncio.gather(
            *(creating.cancelTask(task_id) for task_id, kind in tasks.items() if kind is CANCELLED)
        )


async def until_resolved(tasks):
    async with aiohttp.ClientSession() as session:
        watching = taskcluster.aio.Queue(OPTIONS, session=session)
        waiting = dict.fromkeys(tasks)
        statuses = {}
        while waiting:
            answers = await asyncio.gather(*(watching.status(task_id) for task_id in list(waiting)[:20]))
            for answer in answers:
                status = answer["status"]
                if tasks[status["taskId"]] is STOPPED and status["state"] == "running":
                    await watching.cancelTask(status["taskId"])
                if status["state"] in ("completed", "failed", "exception"):
                    statuses[status["taskId"]] = status
                    del waiting[status["taskId"]]
            await asyncio.sleep(0.2)
        return statuses


def ends(status):
    return [f"{run['state']}/{run.get('reasonResolved')}" for run in status["runs"]]


def fetch(task_id, run_id, name):
    answer = requests.get(queue.buildUrl("getArtifact", task_id, str(run_id), name))
    answer.raise_for_status()
    return answer.content


def output_of(log):
    """What the only command printed."""
    begin = log.index(b"\n", log.index(b"] Executing command 0: ")) + 1
    end = log.rindex(b"                       Exit Code: ")
    return log[begin : log.rindex(b"\n", begin - 1, end) + 1]


def wait_for_log(task_id):
    """Only after a task is cancelled does its worker notice, and publish its log."""
    while all(a["name"] != BACKING for a in queue.listArtifacts(task_id, "0")["artifacts"]):
        time.sleep(0.2)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def check(task_id, kind, status):
    assert ends(status) == kind.ends, ends(status)
    run_id = len(status["runs"]) - 1
    if kind is STOPPED:
        wait_for_log(task_id)
    listed = queue.listArtifacts(task_id, str(run_id))["artifacts"]
    assert sorted(a["name"] for a in listed) == sorted(kind.artifacts), [a["name"] for a in listed]
    for name, content in kind.files.items():
        assert digest(fetch(task_id, run_id, name)) == digest(content), name
    for artifact in listed:
        if artifact["name"] == "public/gone.txt":
            assert artifact["storageType"] == "error", artifact
    if BACKING in kind.artifacts:
        check_log(task_id, kind, fetch(task_id, run_id, BACKING))


def check_log(task_id, kind, log):
    assert f"] Task ID: {task_id}\n".encode() in log
    assert b"\nnever\n" not in log
    for text in kind.says:
        assert text.encode() in log, log
    if kind.output is not None:
        output = kind.output
        if isinstance(output, str):
            output = output.format(task_id=task_id).encode()
        assert digest(output_of(log)) == digest(output), output_of(log)[:500]


def shut_down():
    """A task that the end of its worker interrupts is to be run again."""
    task_id = create_task(payload=shell("sleep 600; echo never"))
    while queue.status(task_id)["status"]["state"] != "running":
        time.sleep(0.1)
    print("end the worker", flush=True)
    while len(ends(status := queue.status(task_id)["status"])) == 1:
        time.sleep(0.1)
    assert ends(status) == ["exception/worker-shutdown", "pending/None"], ends(status)


def main():
    tasks = expected_tasks()
    assert len(tasks) == 200, len(tasks)
    asyncio.run(create(tasks))
    statuses = asyncio.run(until_resolved(tasks))
    wrong = 0
    for task_id, kind in tasks.items():
        try:
            check(task_id, kind, statuses[task_id])
        except Exception as problem:  # Every task is looked at, whatever is wrong with others.
            wrong += 1
            print(f"{kind.name} ({task_id}): {type(problem).__name__}: {str(problem)[-1500:]}", file=sys.stderr)
    shut_down()
    sys.exit(1 if wrong else 0)


main()
