"""Artifacts of each storage type are created, filled, listed and read back."""

import gzip

import requests
import taskcluster
import taskcluster.download
import taskcluster.exceptions
import taskcluster.upload
from deployment import anonymous, claim, client, create_task, refused

EXPIRES = taskcluster.fromNowJSON("1 hour")
TEXT = "Grüße aus dem Lager\n".encode() * 1000

queue = client("Queue")
task_id = create_task()
_, run_queue = claim(task_id)


def create(name, **artifact):
    return run_queue.createArtifact(task_id, "0", name, {"expires": EXPIRES, **artifact})


def s3(name, content_type="text/plain"):
    return create(name, storageType="s3", contentType=content_type)


def put(answer, data, **headers):
    return requests.put(
        answer["putUrl"], data=data, headers={"Content-Type": answer["contentType"], **headers}
    )


def downloaded(name, service=queue):
    return taskcluster.download.downloadArtifactToBuf(
        taskId=task_id, runId="0", name=name, queueService=service
    )


# What is put with an encoding comes back with it, byte for byte, for the stock download and for a plain GET.
answer = s3("public/plain.txt")
assert put(answer, TEXT).status_code == 200
assert downloaded("public/plain.txt") == (TEXT, "text/plain")
packed = s3("public/build/packed.json", "application/json")
assert put(packed, gzip.compress(TEXT), **{"Content-Encoding": "gzip"}).status_code == 200
url = anonymous("Queue").buildUrl("getLatestArtifact", task_id, "public/build/packed.json")
got = requests.get(url)
assert (got.status_code, got.content) == (200, TEXT)
assert got.headers["Content-Encoding"] == "gzip", got.headers
empty = s3("public/empty")
assert put(empty, b"", **{"Content-Length": "0"}).status_code == 200
assert downloaded("public/empty")[0] == b""

# The store refuses what a real one refuses: no length, another content type, a changed URL.
assert put(answer, iter([b"chunk"])).status_code in (411, 501)
assert put(answer, TEXT, **{"Content-Type": "text/html"}).status_code == 403
broken = {**answer, "putUrl": answer["putUrl"][:-2] + "zz"}
assert put(broken, TEXT).status_code == 403
assert downloaded("public/plain.txt")[0] == TEXT

# The same artifact may be announced again, another of its name may not.
s3("public/plain.txt")
with refused(409, "RequestConflict"):
    s3("public/plain.txt", "text/html")

# Objects go through the object service, small ones inside the request.
for size in (10, 100_000):
    name = f"public/object-{size}"
    data = b"o" * size
    answer = create(name, storageType="object", contentType="application/x-thing")
    taskcluster.upload.uploadFromBuf(
        projectId=answer["projectId"],
        name=answer["name"],
        contentType="application/x-thing",
        contentLength=size,
        uploadId=answer["uploadId"],
        expires=answer["expires"],
        data=data,
        objectService=client("Object", answer["credentials"]),
    )
    run_queue.finishArtifact(task_id, "0", name, {"uploadId": answer["uploadId"]})
    assert downloaded(name) == (data, "application/x-thing")
    assert requests.get(queue.buildUrl("getArtifact", task_id, "0", name)).content == data

# Errors, references and links.
create(
    "public/missing",
    storageType="error",
    reason="file-missing-on-worker",
    message="Could not read file",
)
try:
    downloaded("public/missing")
    raise AssertionError("An error artifact was downloaded")
except taskcluster.exceptions.TaskclusterArtifactError as error:
    assert error.reason == "file-missing-on-worker", error.reason
# `getUrl` of a store without authorization serves as "somewhere else on the web" here.
elsewhere = requests.get(
    queue.buildUrl("getArtifact", task_id, "0", "public/plain.txt"), allow_redirects=False
).headers["Location"]
create("public/reference", storageType="reference", contentType="text/plain", url=elsewhere)
assert downloaded("public/reference")[0] == TEXT
create("public/link", storageType="link", contentType="text/plain", artifact="public/plain.txt")
assert downloaded("public/link")[0] == TEXT

# Private artifacts need a scope, which a signed URL brings along.
assert put(s3("private/secret.txt"), TEXT).status_code == 200
assert downloaded("private/secret.txt")[0] == TEXT
with refused(403, "InsufficientScopes"):
    anonymous("Queue").latestArtifact(task_id, "private/secret.txt")
for method, *arguments in (("getLatestArtifact", task_id), ("getArtifact", task_id, "0")):
    unsigned = queue.buildUrl(method, *arguments, "private/secret.txt")
    assert requests.get(unsigned).status_code == 403
    signed = queue.buildSignedUrl(method, *arguments, "private/secret.txt")
    assert requests.get(signed).content == TEXT

types = {}
queue.listArtifacts(
    params={"taskId": task_id, "runId": "0"},
    paginationHandler=lambda page: types.update(
        {artifact["name"]: artifact["storageType"] for artifact in page["artifacts"]}
    ),
    paginationLimit=4,
)
assert types == {
    "private/secret.txt": "s3",
    "public/build/packed.json": "s3",
    "public/empty": "s3",
    "public/link": "link",
    "public/missing": "error",
    "public/object-10": "object",
    "public/object-100000": "object",
    "public/plain.txt": "s3",
    "public/reference": "reference",
}, types
run_queue.reportCompleted(task_id, "0")
