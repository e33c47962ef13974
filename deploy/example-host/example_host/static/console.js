// Opens relay's console in this page, hands it the names, and shows what it tells of itself.

const place = document.querySelector('#relay');
const handed = JSON.parse(place.dataset.handed);
const words = JSON.parse(place.dataset.words);
place.removeAttribute('data-handed');

const show = (where, text) => { document.querySelector(where).textContent = text; };
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const failed = (code) => {
  show('#told', filled(words.failed, { why: words[`failure.${code}`] ?? words['failure.unexpected'] }));
};

if (globalThis.relayConsole === undefined) {
  failed('no-answer'); // relay's script did not load
} else {
  relayConsole.open(place, {
    ...handed,
    onReady: () => show('#told', words.ready),
    onFailed: ({ code }) => failed(code),
    onLocked: () => show('#told', words.locked),
    onNavigated: ({ screen }) => { if (screen !== 'unlock') show('#told', ''); },
    onAttention: (counts) => show('#counts', filled(words.counts, counts)),
  });
}
