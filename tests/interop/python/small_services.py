"""Index, secrets, purge-cache and worker-manager do what their stock clients expect."""

import requests
import taskcluster
import taskcluster.helper
from deployment import claim, client, create_task, refused

index = client("Index")
secrets = client("Secrets")
purge_cache = client("PurgeCache")
worker_manager = client("WorkerManager")

# Index: rank decides, listings show one level, artifacts are found by path.
task_id = create_task(
    routes=["index.interop.routed"], extra={"index": {"rank": 3, "data": {"by": "route"}}}
)
_, run_queue = claim(task_id)
answer = run_queue.createArtifact(
    task_id,
    "0",
    "public/out.txt",
    {
        "storageType": "s3",
        "contentType": "text/plain",
        "expires": taskcluster.fromNowJSON("1 hour"),
    },
)
requests.put(answer["putUrl"], data=b"out", headers={"Content-Type": "text/plain"}).raise_for_status()
run_queue.reportCompleted(task_id, "0")
routed = index.findTask("interop.routed")
assert (routed["taskId"], routed["rank"], routed["data"]) == (task_id, 3, {"by": "route"})
entry = {
    "taskId": task_id,
    "rank": 5,
    "data": {"n": 1},
    "expires": taskcluster.fromNowJSON("1 day"),
}
index.insertTask("interop.deep.latest", entry)
index.insertTask("interop.deep.latest", {**entry, "taskId": taskcluster.slugId(), "rank": 4})
assert index.findTask("interop.deep.latest")["taskId"] == task_id
assert [n["name"] for n in index.listNamespaces("")["namespaces"]] == ["interop"]
assert [n["name"] for n in index.listNamespaces("interop")["namespaces"]] == ["deep"]
assert [t["namespace"] for t in index.listTasks("interop.deep")["tasks"]] == ["interop.deep.latest"]
found = index.findTasksAtIndex({"indexes": ["interop.deep.latest", "interop.none"]})["tasks"]
assert [t["taskId"] for t in found] == [task_id]
url = index.buildSignedUrl("findArtifactFromTask", "interop.deep.latest", "public/out.txt")
assert requests.get(url).content == b"out"
index.deleteTask("interop.deep.latest")
with refused(404, "ResourceNotFound"):
    index.findTask("interop.deep.latest")

# Secrets.
name = "project/interop:thing"
secrets.set(name, {"secret": {"password": "ä"}, "expires": taskcluster.fromNowJSON("1 hour")})
assert secrets.get(name)["secret"] == {"password": "ä"}
assert name in secrets.list()["secrets"]
assert taskcluster.helper.TaskclusterConfig().load_secrets(name, required=["password"]) == {"password": "ä"}
secrets.remove(name)
with refused(404, "ResourceNotFound"):
    secrets.get(name)

# Purge-cache.
purge_cache.purgeCache("interop/python", {"cacheName": "checkouts"})
purge_cache.purgeCache("interop/python", {"cacheName": "checkouts"})
(request,) = purge_cache.purgeRequests("interop/python")["requests"]
assert (request["provisionerId"], request["workerType"], request["cacheName"]) == (
    "interop",
    "python",
    "checkouts",
)
since = {"since": taskcluster.fromNowJSON("1 hour")}
later = purge_cache.purgeRequests(params={"workerPoolId": "interop/python"}, query=since)
assert later == {"requests": []}
assert request in purge_cache.allPurgeRequests()["requests"]

# Worker-manager: a static worker registers, and works with the credentials it got.
pool = "interop/static"
worker_manager.createWorkerPool(
    pool,
    {
        "providerId": "static",
        "description": "Machines of the interop tests",
        "owner": "someone@example.com",
        "emailOnError": False,
        "config": {"workerConfig": {"answer": 42}},
    },
)
secret = taskcluster.slugId() + taskcluster.slugId()
worker_manager.createWorker(
    pool,
    "lab",
    "box-1",
    {"expires": taskcluster.fromNowJSON("1 day"), "providerInfo": {"staticSecret": secret}},
)
key = {"workerPoolId": pool, "workerGroup": "lab", "workerId": "box-1"}
registered = worker_manager.registerWorker(
    {**key, "providerId": "static", "workerIdentityProof": {"staticSecret": secret}}
)
assert registered["workerConfig"] == {"answer": 42}
worker = client("WorkerManager", registered["credentials"])
assert worker.shouldWorkerTerminate(pool, "lab", "box-1")["terminate"] is False
with refused(403, "InsufficientScopes"):
    worker.shouldWorkerTerminate(pool, "lab", "box-2")
again = worker.reregisterWorker({**key, "secret": registered["secret"]})
client("WorkerManager", again["credentials"]).reportWorkerError(
    pool,
    {
        "workerGroup": "lab",
        "workerId": "box-1",
        "kind": "worker-error",
        "title": "generic-worker error",
        "description": "disk on fire",
        "extra": {"where": "attic"},
    },
)
(error,) = worker_manager.listWorkerPoolErrors(pool)["workerPoolErrors"]
assert error["description"] == "disk on fire"
in_pool = create_task(taskQueueId=pool)
claims = client("Queue", again["credentials"]).claimWork(
    pool, {"workerGroup": "lab", "workerId": "box-1", "tasks": 1}
)
assert [c["status"]["taskId"] for c in claims["tasks"]] == [in_pool]
worker.removeWorker(pool, "lab", "box-1")
with refused(404, "ResourceNotFound"):
    worker_manager.worker(pool, "lab", "box-1")
