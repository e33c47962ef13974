/** A connection to relay: JSON in and out, problem documents as refusals, sessions renewed automatically. */

import type { Language } from './contract';
import { isRefused, Refused, refusedBy } from './refusing';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

const REQUEST_MS = 30_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 400;
/** A bearer is renewed this long before it expires, so that it does not expire during a slow request. */
const RENEW_BEFORE_MS = 60_000;
/** And used for at least this long, in case the clocks of relay and device differ. */
const USE_AT_LEAST_MS = 30_000;

export interface Asked {
  readonly bearer?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Keep sending after the page is closed. */
  readonly keepalive?: boolean;
}

/** A connection without an identity; requests that need a bearer pass one. */
export class Connection {
  language: Language = 'en';

  constructor(
    readonly url: string,
    private readonly fetch: Fetch = (url, init) => globalThis.fetch(url, init),
  ) {}

  /**
   * Sends `body` as JSON and returns the JSON response. Every request is idempotent: relay answers the same statement
   * the same way, so a request whose response was lost is repeated.
   */
  call<Answer>(method: Method, path: string, asked: Asked = {}): Promise<Answer> {
    // Response types come from relay's OpenAPI description; anything trusted is verified by signature.
    return this.insist(method, path, asked, (response) => (response.status === 204 ? undefined : response.json()) as Promise<Answer>);
  }

  /** Returns the response body as bytes. */
  bytes(path: string, asked: Asked): Promise<ArrayBuffer> {
    return this.insist('GET', path, asked, (response) => response.arrayBuffer());
  }

  /** A single attempt, limited by `signal`; the caller reads the body. */
  async open(method: Method, path: string, { bearer, body, signal, headers, keepalive = false }: Asked): Promise<Response> {
    const response = await answered(
      this.fetch(`${this.url}${path}`, {
        method,
        headers: {
          'Accept-Language': this.language,
          ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        keepalive,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    if (!response.ok) throw refusedBy(response.status, await response.json().catch(() => null));
    return response;
  }

  private async insist<Answer>(
    method: Method,
    path: string,
    asked: Asked,
    read: (response: Response) => Promise<Answer>,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const limit = new AbortController();
      const leave = () => { limit.abort(); };
      const timer = setTimeout(leave, REQUEST_MS);
      asked.signal?.addEventListener('abort', leave, { once: true });
      try {
        const response = await this.open(method, path, { ...asked, signal: limit.signal });
        return await answered(read(response));
      } catch (error) {
        const mayHelp = isRefused(error, 'offline') || isRefused(error, 'busy');
        if (!mayHelp || attempt >= ATTEMPTS || asked.signal?.aborted === true) throw error;
      } finally {
        clearTimeout(timer);
        asked.signal?.removeEventListener('abort', leave);
      }
      // nosemgrep: chance-of-a-page-that-can-be-guessed - a delay
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), asked.signal);
    }
  }
}

/** Any error of a request that may fail means that relay did not answer. */
async function answered<Answer>(request: Promise<Answer>): Promise<Answer> {
  try {
    return await request;
  } catch {
    throw new Refused('offline');
  }
}

/** Signs in; called again when a session has ended. */
export type SignIn = (connection: Connection) => Promise<Schemas['Session']>;

/** An authenticated connection: signs in when needed, and again when a session has ended. */
export class SignedConnection {
  private session: Promise<Schemas['Session']> | null = null;
  private openedAt = 0;
  private ended = false;

  constructor(
    readonly connection: Connection,
    private readonly signIn: SignIn,
  ) {}

  /** The bearer of an open session. */
  async bearer(): Promise<string> {
    if (this.ended) throw new Refused('signed-out');
    const now = Date.now();
    if (this.session !== null && now - this.openedAt > USE_AT_LEAST_MS) {
      const { expires_at: expiresAt } = await this.session;
      if (Date.parse(expiresAt) - RENEW_BEFORE_MS < now) this.session = null;
    }
    if (this.session === null) {
      this.openedAt = now;
      this.session = this.signIn(this.connection);
      this.session.catch(() => { this.session = null; });
    }
    return (await this.session).token;
  }

  /** Makes the next request open a new session. */
  forgetSession(): void {
    this.session = null;
  }

  /** Like `Connection.call`, with a session; reopens an expired session once. */
  async call<Answer>(method: Method, path: string, asked: Omit<Asked, 'bearer'> = {}): Promise<Answer> {
    return this.signed((bearer) => this.connection.call<Answer>(method, path, { ...asked, bearer }));
  }

  /** Like `Connection.bytes`, with a session. */
  async bytes(path: string, asked: Omit<Asked, 'bearer'> = {}): Promise<ArrayBuffer> {
    return this.signed((bearer) => this.connection.bytes(path, { ...asked, bearer }));
  }

  /** Like `Connection.open`, with a session. */
  async open(method: Method, path: string, asked: Omit<Asked, 'bearer'> = {}): Promise<Response> {
    return this.signed((bearer) => this.connection.open(method, path, { ...asked, bearer }));
  }

  /** Ends the session here and, if reachable, at relay. */
  async end(): Promise<void> {
    this.ended = true;
    const session = this.session;
    this.session = null;
    if (session === null) return;
    try {
      const { token } = await session;
      await this.connection.open('DELETE', '/v1/sessions/current', { bearer: token });
    } catch {
      // It expires within minutes anyway.
    }
  }

  private async signed<Answer>(request: (bearer: string) => Promise<Answer>): Promise<Answer> {
    try {
      return await request(await this.bearer());
    } catch (error) {
      if (!isRefused(error, 'signed-out') || this.ended) throw error;
      this.session = null;
    }
    return request(await this.bearer());
  }
}

/** Ends waiting as soon as the device is back online; Node, where the tests run, has no such event. */
const world: Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>> = globalThis;

/** Waits until the time is up, the device is back online, or `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      world.removeEventListener?.('online', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
    world.addEventListener?.('online', end);
  });
}
