// In the browser: opens relay's console in this page and says how it stands.

const place = document.querySelector('#relay');
const say = (text) => { document.querySelector('#said').textContent = text; };
const FAILED = {
  'no-answer': 'relay does not answer, or does not know this page (RELAY_EMBED_ORIGINS).',
  integrity: 'The chain of trust does not hold. Call the administrator; do not just load this again.',
};

if (globalThis.relayConsole === undefined) {
  say('relay’s script did not load: relay is away, or its build is not the one whose hash this page has.');
} else {
  relayConsole.open(place, {
    ...JSON.parse(place.dataset.handed),
    onReady: () => say('The console waits for the passphrase.'),
    onAttention: ({ waiting, claims, casesToOpen }) =>
      say(`To review: ${waiting}. Links to check: ${claims}. Cases to open: ${casesToOpen}.`),
    onLocked: () => say('The keys are locked.'),
    onFailed: ({ code }) => say(FAILED[code] ?? `The console stopped (${code}).`),
  });
  place.removeAttribute('data-handed');
}
