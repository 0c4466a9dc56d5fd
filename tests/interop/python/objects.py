"""The object service keeps what the upload helpers send and gives it to the download helpers."""

import base64
import io

import requests
import taskcluster
import taskcluster.download
import taskcluster.exceptions
import taskcluster.upload
from deployment import anonymous, client, refused

EXPIRES = taskcluster.fromNowJSON("1 hour")
objects = client("Object")


def upload(name, **source):
    send = taskcluster.upload.uploadFromBuf if "data" in source else taskcluster.upload.uploadFromFile
    send(
        projectId="interop",
        name=name,
        contentType="application/x-interop",
        expires=EXPIRES,
        objectService=objects,
        maxRetries=0,
        **source,
    )


# Sizes around the border between inline data and a PUT.
for size in (0, 1, 8191, 8192, 1_000_000):
    name = f"sizes/{size} bytes"
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    upload(name, data=data, contentLength=size)
    assert taskcluster.download.downloadToBuf(name=name, objectService=objects) == (
        data,
        "application/x-interop",
    ), name

file = io.BytesIO(b"from a file" * 5000)
upload("files/one", file=file, contentLength=55_000)
target = io.BytesIO()
assert taskcluster.download.downloadToFile(target, name="files/one", objectService=objects)
assert target.getvalue() == file.getvalue()

# A plain GET of the signed download URL arrives at the same bytes.
assert requests.get(objects.buildSignedUrl("download", "files/one")).content == file.getvalue()
metadata = objects.object("files/one")
assert metadata["projectId"] == "interop"
assert set(metadata["hashes"]) == {"sha256", "sha512"}

# A name belongs to its first upload.
with refused(409, "RequestConflict"):
    upload("files/one", data=b"other", contentLength=5)

# An object whose hash is not that of its bytes is not given out as good.
ids = {"projectId": "interop", "uploadId": taskcluster.slugId()}
inline = {"contentType": "text/plain", "objectData": base64.b64encode(b"abc").decode()}
created = objects.createUpload(
    "lies", {**ids, "expires": EXPIRES, "proposedUploadMethods": {"dataInline": inline}}
)
assert created["uploadMethod"] == {"dataInline": True}, created
with refused(404, "ResourceNotFound"):
    objects.startDownload("lies", {"acceptDownloadMethods": {"getUrl": True}})
objects.finishUpload("lies", {**ids, "hashes": {"sha256": "0" * 64}})
try:
    taskcluster.download.downloadToBuf(name="lies", objectService=objects)
    raise AssertionError("A wrong hash went unnoticed")
except taskcluster.exceptions.ObjectHashVerificationError:
    pass

simple = objects.startDownload("files/one", {"acceptDownloadMethods": {"simple": True}})
assert simple["method"] == "simple"
assert requests.get(simple["url"]).content == file.getvalue()
with refused(403, "InsufficientScopes"):
    anonymous("Object").startDownload("files/one", {"acceptDownloadMethods": {"getUrl": True}})
