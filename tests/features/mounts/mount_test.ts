/** What the mounts of a payload ask for. */

import assert from "node:assert/strict";
import {
  contentKey,
  describeContent,
  literalBytes,
  readContent,
} from "../../../src/features/mounts/content.ts";
import { cacheScopes, readMounts, requireDependencies } from "../../../src/features/mounts/mount.ts";
import { TaskException } from "../../../src/task/errors.ts";

const raw = { raw: "x" };

Deno.test("mounts are told apart by their first telling member", () => {
  const mounts = readMounts([
    { cacheName: "c", directory: "d" },
    { cacheName: "c", directory: "d", content: raw, format: "zip" },
    { directory: "d", content: raw, format: "tar.gz" },
    { file: "f", content: raw },
    { file: "f", content: raw, format: "xz" },
  ]);
  const content = { kind: "raw", text: "x" };
  assert.deepEqual(mounts, [
    { kind: "cache", directory: "d", cacheName: "c" },
    { kind: "cache", directory: "d", cacheName: "c", preload: { content, format: "zip" } },
    { kind: "directory", directory: "d", archive: { content, format: "tar.gz" } },
    { kind: "file", file: "f", content },
    { kind: "file", file: "f", content, format: "xz" },
  ]);
});

Deno.test("a mount of no known kind is malformed, and so is content of none", () => {
  const malformed = (error: unknown) =>
    error instanceof TaskException && error.reason === "malformed-payload" &&
    error.message.startsWith("[mounts] unrecognised mount entry in payload");
  assert.throws(() => readMounts([{ path: "x" }]), malformed);
  assert.throws(() => readMounts([{ directory: "d", content: raw }]), malformed);
  assert.throws(() => readMounts([{ file: "f", content: { sha256: "ab" } }]), malformed);
});

Deno.test("each writable cache asks for its scope, and nothing else does", () => {
  const mounts = readMounts([
    { cacheName: "a", directory: "1" },
    { file: "f", content: raw },
    { cacheName: "b", directory: "2" },
  ]);
  assert.deepEqual(cacheScopes(mounts), ["generic-worker:cache:a", "generic-worker:cache:b"]);
});

Deno.test("a task whose artifact is mounted must be a dependency; one that the index finds need not", () => {
  const artifact = { taskId: "AAAAAAAAQ-CAAAAAAAAAAA", artifact: "public/x" };
  const mounts = readMounts([
    { file: "f", content: { namespace: "n", artifact: "public/x" } },
    { directory: "d", content: artifact, format: "zip" },
  ]);
  requireDependencies(mounts, [artifact.taskId]);
  assert.throws(() => requireDependencies(mounts, []), {
    reason: "malformed-payload",
    message: "[mounts] task.dependencies needs to include AAAAAAAAQ-CAAAAAAAAAAA since one or more of its " +
      "artifacts are mounted",
  });
});

Deno.test("content has the keys and names of the existing worker", () => {
  const artifact = readContent({ taskId: "T", artifact: "public/x", sha256: "ab" });
  const url = readContent({ url: "http://a/b" });
  assert.ok(artifact.kind === "artifact" && url.kind === "url");
  assert.equal(contentKey(artifact), "artifact:T:public/x");
  assert.equal(contentKey(url), "urlcontent:http://a/b");
  assert.equal(describeContent(artifact), "task T artifact public/x");
  assert.equal(describeContent(url), "url http://a/b");
  assert.equal(describeContent({ kind: "indexed", namespace: "n", artifact: "a" }), "namespace n artifact a");
  assert.equal(describeContent({ kind: "raw", text: "Hello Raw!" }), "Raw (Hello Raw!)");
});

Deno.test("W-43: base64 content is decoded", () => {
  assert.equal(new TextDecoder().decode(literalBytes({ kind: "base64", text: "SGVsbG8=" })), "Hello");
  assert.equal(new TextDecoder().decode(literalBytes({ kind: "raw", text: "SGVsbG8=" })), "SGVsbG8=");
});

Deno.test("W-43: long content is neither quoted in full nor part of its key", () => {
  const long = { kind: "raw", text: `first line\n${"x".repeat(60_000)}` } as const;
  assert.equal(describeContent(long), "Raw (first line… 60011 characters in all)");
  assert.ok(contentKey(long).length < 100);
  assert.notEqual(contentKey(long), contentKey({ ...long, text: long.text + "y" }));
});
