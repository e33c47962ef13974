/** What an address of the participant's pages means: a link with the secret in its fragment, or another page. */

export type Address =
  | { readonly page: 'link'; readonly link: string; readonly fragment: string | null }
  /** For assisted use, where nothing may stay: its address never contains a link. */
  | { readonly page: 'kiosk' }
  /** A link that was opened as an address on a shared computer. */
  | { readonly page: 'exposed' }
  | { readonly page: 'receipt' }
  | { readonly page: 'none' };

export const KIOSK = '/kiosk';

/** The format of a link's fragment, wherever it appears. */
const SECRET = /[A-Za-z0-9_-]{64}/;
const LINK = /^\/l\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/i;

export function readAddress(url: URL): Address {
  if (/^\/receipt\/?$/.test(url.pathname)) return { page: 'receipt' };
  if (/^\/kiosk\/?$/.test(url.pathname)) return { page: SECRET.test(url.search + url.hash) ? 'exposed' : 'kiosk' };
  const link = LINK.exec(url.pathname)?.[1];
  if (link === undefined) return { page: 'none' };
  const fragment = url.hash.slice(1);
  if (url.searchParams.has('assisted')) return { page: fragment === '' ? 'kiosk' : 'exposed' };
  return { page: 'link', link: link.toLowerCase(), fragment: fragment === '' ? null : fragment };
}

/** The same address without its secret, for the address bar. */
export function bareAddress(link: string): string {
  return `/l/${link}`;
}
