"""Permanent, temporary, named, restricted and signed access: what each may do, and what none may."""

import datetime

import requests
import taskcluster
import taskcluster.exceptions
from deployment import OPTIONS, anonymous, client, refused

NAME = "project/interop/guarded"
ROOT = OPTIONS["credentials"]
now = datetime.datetime.now(datetime.timezone.utc)


def temporary(scopes, hours=(-1, 1), name=None):
    start, expiry = (now + datetime.timedelta(hours=offset) for offset in hours)
    return taskcluster.createTemporaryCredentials(
        ROOT["clientId"], ROOT["accessToken"], start, expiry, scopes, name
    )


def unauthenticated(call):
    try:
        call()
    except taskcluster.exceptions.TaskclusterAuthFailure as failure:
        assert failure.status_code == 401, failure.status_code
    else:
        raise AssertionError("The call was authenticated")


root = client("Secrets")
root.set(NAME, {"secret": {"open": "sesame"}, "expires": taskcluster.fromNowJSON("1 hour")})

# Temporary credentials hold their scopes and nothing else, named or not.
for name in (None, "project/interop/named"):
    reader = client("Secrets", temporary([f"secrets:get:{NAME}"], name=name))
    assert reader.get(NAME)["secret"] == {"open": "sesame"}
    with refused(403, "InsufficientScopes"):
        reader.remove(NAME)
    with refused(403, "InsufficientScopes"):
        reader.get("project/interop/other")
    scopes = client("Auth", temporary([f"secrets:get:{NAME}"], name=name)).currentScopes()["scopes"]
    assert f"secrets:get:{NAME}" in scopes and "*" not in scopes, scopes

# A star at the end of a scope covers what follows.
client("Secrets", temporary(["secrets:get:project/interop/*"])).get(NAME)

# Authorized scopes restrict a single client.
restricted = client("Secrets", authorizedScopes=["secrets:list-secrets"])
assert NAME in restricted.list()["secrets"]
with refused(403, "InsufficientScopes"):
    restricted.get(NAME)

# Expired, not yet valid, unknown and forged credentials are none.
unauthenticated(lambda: client("Secrets", temporary(["*"], hours=(-3, -2))).get(NAME))
unauthenticated(lambda: client("Secrets", temporary(["*"], hours=(2, 3))).get(NAME))
unauthenticated(lambda: client("Secrets", {**ROOT, "accessToken": "wrong"}).get(NAME))
unauthenticated(lambda: client("Secrets", {**ROOT, "clientId": "nobody"}).get(NAME))
narrow, wide = temporary([f"secrets:get:{NAME}"]), temporary(["*"])
mixed = {**narrow, "certificate": wide["certificate"]}
unauthenticated(lambda: client("Secrets", mixed).get(NAME))

with refused(403, "InsufficientScopes"):
    anonymous("Secrets").get(NAME)

# Signed URLs, also of temporary credentials; not after their end, for another resource or for another method.
for secrets in (root, client("Secrets", temporary([f"secrets:get:{NAME}"]))):
    url = secrets.buildSignedUrl("get", NAME)
    assert requests.get(url).json()["secret"] == {"open": "sesame"}
    assert requests.get(url.replace("guarded", "another")).status_code == 401
    assert requests.delete(url).status_code == 401
    expired = secrets.buildSignedUrl("get", NAME, expiration=-60)
    assert requests.get(expired).status_code == 401
unscoped = client("Secrets", temporary(["secrets:list-secrets"])).buildSignedUrl("get", NAME)
assert requests.get(unscoped).status_code == 403
