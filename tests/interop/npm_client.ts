/** The stock npm client, with types for what these tests use of it: it comes without any. */

import type { Readable, Writable } from "node:stream";
import stock from "taskcluster-client";

export interface NpmCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string;
}

/** A client of one service: its methods are those of the service's reference. */
export type ServiceClient = Readonly<Record<string, ClientMethod>>;

/** Gives the parsed answer; rejects with an error that has `statusCode` and `code`. */
export type ClientMethod = (...args: readonly unknown[]) => Promise<Readonly<Record<string, unknown>>>;

/** What building a URL gives; the method of the same client is named by itself. */
interface UrlBuilder {
  buildUrl(method: ClientMethod | undefined, ...args: readonly unknown[]): string;
  buildSignedUrl(method: ClientMethod | undefined, ...args: readonly unknown[]): string;
}

interface ClientOptions {
  readonly rootUrl: string;
  readonly credentials?: NpmCredentials;
  readonly authorizedScopes?: readonly string[];
  readonly retries?: number;
}

type ClientClass = new (options: ClientOptions) => ServiceClient & UrlBuilder;

interface NpmModule {
  readonly Auth: ClientClass;
  readonly Index: ClientClass;
  readonly Object: ClientClass;
  readonly PurgeCache: ClientClass;
  readonly Queue: ClientClass;
  readonly Secrets: ClientClass;
  readonly WorkerManager: ClientClass;
  readonly agents: { readonly http: { destroy(): void } };
  slugid(): string;
  fromNowJSON(offset: string): string;
  createTemporaryCredentials(options: {
    clientId?: string;
    start: Date;
    expiry: Date;
    scopes: readonly string[];
    credentials: NpmCredentials;
  }): NpmCredentials;
  upload(options: {
    projectId: string;
    name: string;
    contentType: string;
    contentLength: number;
    expires: string;
    uploadId?: string;
    object: ServiceClient;
    streamFactory: () => Promise<Readable>;
  }): Promise<void>;
  download(options: {
    name: string;
    object: ServiceClient;
    streamFactory: () => Promise<Writable>;
  }): Promise<string>;
  downloadArtifact(options: {
    taskId: string;
    runId?: number;
    name: string;
    queue: ServiceClient;
    streamFactory: () => Promise<Writable>;
  }): Promise<string>;
}

/** The package's default export. */
export const taskcluster: NpmModule = stock;
