"""The asynchronous client drives a hundred tasks at once, none of which may be lost, doubled or mixed up."""

import asyncio

import aiohttp
import taskcluster.aio
import taskcluster.download
from deployment import OPTIONS, POOL, client, definition

COUNT = 100
ids = [taskcluster.slugId() for _ in range(COUNT)]
resolutions = ("completed", "failed", "exception")


def expected(task_id):
    return resolutions[ids.index(task_id) % 3]


async def publish(queue, task_id, session):
    body = {
        "storageType": "s3",
        "contentType": "text/plain",
        "expires": taskcluster.fromNowJSON("1 hour"),
    }
    answer = await queue.createArtifact(task_id, "0", "public/id.txt", body)
    headers = {"Content-Type": "text/plain"}
    async with session.put(answer["putUrl"], data=task_id.encode(), headers=headers) as put:
        assert put.status == 200, put.status


async def resolve(queue, task_id):
    if expected(task_id) == "completed":
        await queue.reportCompleted(task_id, "0")
    elif expected(task_id) == "failed":
        await queue.reportFailed(task_id, "0")
    else:
        await queue.reportException(task_id, "0", {"reason": "malformed-payload"})


async def run(claim, session):
    task_id = claim["status"]["taskId"]
    options = {**OPTIONS, "credentials": claim["credentials"]}
    queue = taskcluster.aio.Queue(options, session=session)
    await publish(queue, task_id, session)
    await queue.reclaimTask(task_id, "0")
    await resolve(queue, task_id)
    return task_id


async def work(queue, name, session):
    """Claims until nothing is left; gives the ids of what it ran."""
    done = []
    while len(done) < COUNT:
        pending = await queue.taskQueueCounts(POOL)
        if pending["pendingTasks"] == 0:
            break
        request = {"workerGroup": "lab", "workerId": name, "tasks": 5}
        answer = await queue.claimWork(POOL, request)
        done += await asyncio.gather(*(run(claim, session) for claim in answer["tasks"]))
    return done


async def main():
    async with aiohttp.ClientSession() as session:
        queue = taskcluster.aio.Queue(OPTIONS, session=session)
        await asyncio.gather(*(queue.createTask(task_id, definition()) for task_id in ids))
        shares = await asyncio.gather(*(work(queue, f"box-{n}", session) for n in range(4)))
        assert sorted(sum(shares, [])) == sorted(ids)
        statuses = await asyncio.gather(*(queue.status(task_id) for task_id in ids))
        for answer in statuses:
            status = answer["status"]
            assert status["state"] == expected(status["taskId"]), status
            assert len(status["runs"]) == 1, status


asyncio.run(main())
for task_id in ids:
    data, _ = taskcluster.download.downloadArtifactToBuf(
        taskId=task_id, name="public/id.txt", queueService=client("Queue")
    )
    assert bytes(data) == task_id.encode(), task_id
