/** That a link was opened here is no secret beyond the address itself; it saves returning people a page. */

const OPENED = 'relay-opened-';

export function wasOpened(link: string): boolean {
  try {
    return localStorage.getItem(OPENED + link) !== null;
  } catch {
    return false;
  }
}

export function rememberOpened(link: string): void {
  try {
    localStorage.setItem(OPENED + link, '');
  } catch {
    // If nothing can be stored, the first page is shown again.
  }
}

export function forgetOpened(link: string): void {
  try {
    localStorage.removeItem(OPENED + link);
  } catch {
    // Nothing was stored.
  }
}
