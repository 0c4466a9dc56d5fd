/** Schemas and payloads that the tests of the payload validator share. */

import assert from "node:assert/strict";
import insecurePosix from "../../../schemas/insecure_posix.json" with { type: "json" };
import multiuserPosix from "../../../schemas/multiuser_posix.json" with { type: "json" };
import multiuserWindows from "../../../schemas/multiuser_windows.json" with { type: "json" };
import {
  type PayloadCheck,
  validatePayload,
} from "../../../src/features/payload_validator/validate_payload.ts";
import type { Payload } from "../../../src/task/payload.ts";

export type Json = Record<string, unknown>;

export const schemas = {
  insecurePosix: insecurePosix as Json,
  multiuserPosix: multiuserPosix as Json,
  multiuserWindows: multiuserWindows as Json,
};

export const posixSchemas = [schemas.insecurePosix, schemas.multiuserPosix];
export const allSchemas = Object.values(schemas);

export const slug = "fN1SbArXTPSVFNUvaOlinQ";
export const sha256 = "0123456789abcdef".repeat(4);

/** The least that is valid on posix. */
export const minimal: Json = { command: [["true"]], maxRunTime: 60 };
export const minimalDocker: Json = { image: "ubuntu", maxRunTime: 60 };

/** Every property of a native posix payload. */
export const full: Json = {
  command: [["/bin/bash", "-c", "echo hello"], ["", ""]],
  env: { A: "1", constructor: "x" },
  maxRunTime: 3600,
  artifacts: [
    { type: "file", path: "out.txt", name: "public/out.txt", expires: "2030-01-01T00:00:00.000Z" },
    { type: "directory", path: "out", contentType: "text/plain", contentEncoding: "gzip", optional: true },
  ],
  features: {
    backingLog: true,
    liveLog: false,
    resourceMonitor: true,
    interactive: false,
    taskclusterProxy: true,
  },
  mounts: [
    { file: "a", content: { taskId: slug, artifact: "public/a", sha256 }, format: "zst" },
    { directory: "b", cacheName: "c", content: { url: "https://example.com/x.zip", sha256 }, format: "zip" },
    { directory: "d", content: { namespace: "a.b", artifact: "public/d.tar.gz" }, format: "tar.gz" },
    { file: "e", content: { raw: "" } },
    { file: "f", content: { base64: "aGVsbG8=" } },
  ],
  osGroups: ["docker", "video"],
  supersederUrl: "ignored",
  onExitStatus: { retry: [1, 123], purgeCaches: [0] },
  logs: { live: "public/live.log", backing: "public/backing.log" },
  taskclusterProxyInterface: "docker-bridge",
};

/** Every property of a docker-worker payload. */
export const fullDocker: Json = {
  image: { type: "task-image", taskId: "anything", path: "public/image.tar.zst" },
  maxRunTime: 60,
  command: [],
  env: { A: "b" },
  log: "public/logs/mine.log",
  cache: { name: "/mnt" },
  artifacts: { "public/a": { type: "volume", path: "/a", expires: "2030-01-01" } },
  supersederUrl: "x",
  onExitStatus: { retry: [-1, -1, 0], purgeCaches: [] },
  capabilities: {
    privileged: true,
    disableSeccomp: false,
    devices: { loopbackVideo: true, loopbackAudio: true, hostSharedMemory: true, kvm: true },
  },
  features: {
    localLiveLog: true,
    bulkLog: true,
    artifacts: true,
    taskclusterProxy: false,
    interactive: false,
    allowPtrace: true,
    chainOfTrust: false,
  },
};

/** Lines for an invalid payload, none for a valid one. */
export function violationsOf(payload: unknown, schema: Json = schemas.insecurePosix): readonly string[] {
  const check: PayloadCheck = validatePayload(payload, schema);
  return check.kind === "invalid" ? check.violations : [];
}

/** The payload in force. Fails the test if it is not a valid native one. */
export function accepted(payload: unknown, schema: Json = schemas.insecurePosix): Payload {
  const check = validatePayload(payload, schema);
  assert.equal(check.kind, "native", check.kind === "invalid" ? check.violations.join("\n") : check.kind);
  return (check as { payload: Payload }).payload;
}

export function assertValid(payload: unknown, schema: Json = schemas.insecurePosix): void {
  assert.deepEqual(violationsOf(payload, schema), [], JSON.stringify(payload)?.slice(0, 300));
}

/** Fails unless `line` is among the violations. */
export function assertViolation(payload: unknown, line: string, schema: Json = schemas.insecurePosix): void {
  const violations = violationsOf(payload, schema);
  assert.ok(
    violations.includes(line),
    `expected "${line}" for ${JSON.stringify(payload)?.slice(0, 300)}, got:\n${violations.join("\n")}`,
  );
}
