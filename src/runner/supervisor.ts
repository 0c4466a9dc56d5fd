/** Whoever started the worker and looks after it: worker-runner, where there is one. */

/** New credentials of the worker; without certificate when they are permanent. */
export interface NewCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string;
}

/** What a supervisor asks for. */
export interface SupervisorRequests {
  gracefulTermination(options: { finishTasks: boolean }): void;
  newCredentials(credentials: NewCredentials): void;
  /** It has gone. */
  ended(): void;
}

/** What the worker needs of it. */
export interface Supervisor {
  /** Hands requests to the worker, those that came before it was ready first. */
  serve(requests: SupervisorRequests): void;
  reportError(description: string, extra: Readonly<Record<string, string>>): void;
  /** Asks for the end of the machine. False when it can't be asked. */
  shutdown(): boolean;
}
