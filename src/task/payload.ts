/** A validated native payload with its defaults in place (spec 02 §1.2, §2.1). */

export interface PayloadArtifact {
  readonly type: "file" | "directory";
  readonly path: string;
  readonly name?: string;
  readonly expires?: string;
  readonly contentType?: string;
  readonly contentEncoding?: "identity" | "gzip";
  readonly optional?: boolean;
}

export interface Payload {
  /** POSIX: argument vectors. */
  readonly command: readonly (readonly string[])[];
  readonly env: Readonly<Record<string, string>>;
  /** Seconds, as in the payload. */
  readonly maxRunTime: number;
  readonly artifacts: readonly PayloadArtifact[];
  /** Only the switches that this build's schema knows. */
  readonly features: Readonly<Record<string, boolean>>;
  readonly mounts: readonly Readonly<Record<string, unknown>>[];
  readonly osGroups: readonly string[];
  readonly onExitStatus: { readonly retry: readonly number[]; readonly purgeCaches: readonly number[] };
  readonly logs: { readonly live: string; readonly backing: string };
  readonly taskclusterProxyInterface: "localhost" | "docker-bridge";
}

/** What is in force before (and in spite of) validation. */
export const defaultPayload: Payload = {
  command: [],
  env: {},
  maxRunTime: 0,
  artifacts: [],
  features: { backingLog: true, liveLog: true, resourceMonitor: true },
  mounts: [],
  osGroups: [],
  onExitStatus: { retry: [], purgeCaches: [] },
  logs: { live: "public/logs/live.log", backing: "public/logs/live_backing.log" },
  taskclusterProxyInterface: "localhost",
};

/** The payload over its defaults: an omitted object or member keeps the default, an explicit value wins. */
export function withDefaults(payload: Partial<Payload>): Payload {
  return {
    ...defaultPayload,
    ...payload,
    features: { ...defaultPayload.features, ...payload.features },
    logs: { ...defaultPayload.logs, ...payload.logs },
    onExitStatus: { ...defaultPayload.onExitStatus, ...payload.onExitStatus },
  };
}
