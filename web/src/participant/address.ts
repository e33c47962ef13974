/** What an address of the participant's pages says: which link, the secret in its fragment, and whether staff help. */

export type Address =
  | { readonly page: 'link'; readonly link: string; readonly fragment: string | null; readonly assisted: boolean }
  | { readonly page: 'receipt' }
  | { readonly page: 'none' };

const LINK = /^\/l\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/i;

export function readAddress(url: URL): Address {
  if (/^\/receipt\/?$/.test(url.pathname)) return { page: 'receipt' };
  const link = LINK.exec(url.pathname)?.[1];
  if (link === undefined) return { page: 'none' };
  const fragment = url.hash.slice(1);
  return { page: 'link', link: link.toLowerCase(), fragment: fragment === '' ? null : fragment, assisted: url.searchParams.has('assisted') };
}

/** The same place without its secret, for the address bar and the history. */
export function bareAddress(link: string, assisted: boolean): string {
  return `/l/${link}${assisted ? '?assisted' : ''}`;
}
