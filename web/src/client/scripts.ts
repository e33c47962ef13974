/**
 * Which scripts pages may start: relay's own worker and service worker, and nothing else.
 *
 * Pages are served with `require-trusted-types-for 'script'`, so a browser that supports Trusted Types asks the policy
 * here before it accepts an address for `new Worker` or a service worker's registration. Others start them directly.
 */

interface Policies {
  createPolicy(name: 'default', rules: { createScriptURL: (url: string) => string | null }): unknown;
}

const OWN = /^\/(?:assets\/[\w.-]+\.js|sw\.js)$/;

let stated = false;

/** Registers the page's policy, once; call it before a worker is started. */
export function allowOwnScripts(): void {
  if (stated) return;
  stated = true;
  const { trustedTypes } = globalThis as { trustedTypes?: Policies };
  trustedTypes?.createPolicy('default', {
    createScriptURL: (url) => {
      const { origin, pathname } = new URL(url, location.href);
      return origin === location.origin && OWN.test(pathname) ? url : null;
    },
  });
}
