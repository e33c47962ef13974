/** A link entered into the page as text: scanned, pasted or typed. */

/** What follows the # of a link: 48 bytes in base64url. */
const FRAGMENT = /^#[A-Za-z0-9_-]{64}$/;
const PATH = /^\/l\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/i;

export interface HandedLink {
  readonly id: string;
  readonly fragment: string;
}

/** The link in a text, for the relay at `origin`; or why it cannot be used here. */
export function readHanded(text: string, origin: string): HandedLink | 'notLink' | 'elsewhere' {
  const url = parse(text.trim(), origin);
  if (url === null || !FRAGMENT.test(url.hash)) return 'notLink';
  const [, id] = PATH.exec(url.pathname) ?? [];
  if (id === undefined) return 'notLink';
  return url.origin === origin ? { id: id.toLowerCase(), fragment: url.hash.slice(1) } : 'elsewhere';
}

/** People who type a link from paper may omit its beginning. */
function parse(text: string, origin: string): URL | null {
  const { protocol } = new URL(origin);
  try {
    return new URL(/^https?:\/\//i.test(text) ? text : `${protocol}//${text}`);
  } catch {
    return null;
  }
}
