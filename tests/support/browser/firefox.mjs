// Drives Firefox over WebDriver BiDi for a test: one JSON command a line on standard input, one JSON answer a line back.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { proxy, languages, profile, narrow } = JSON.parse(process.argv[2]);
const { hostname, port } = new URL(proxy);
const require = createRequire(new URL('../../../web/', import.meta.url));
const { default: puppeteer } = await import(pathToFileURL(require.resolve('puppeteer-core')));
const PATIENCE_MS = 30_000;

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: '/usr/bin/firefox-esr',
  headless: true,
  ...(profile === null ? {} : { userDataDir: profile }),
  ...(narrow === null ? {} : { defaultViewport: narrow }),
  extraPrefsFirefox: {
    'intl.accept_languages': languages,
    'media.autoplay.default': 0,
    'media.navigator.permission.disabled': true,
    'media.navigator.streams.fake': true,
    'network.proxy.type': 1,
    'network.proxy.http': hostname,
    'network.proxy.http_port': Number(port),
    'network.proxy.ssl': hostname,
    'network.proxy.ssl_port': Number(port),
    'network.proxy.allow_hijacking_localhost': true,
    'network.proxy.no_proxies_on': '',
    ...(narrow === null ? {} : { 'layout.css.prefers-color-scheme.content-override': 0, 'ui.prefersReducedMotion': 1 }),
  },
});
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE_MS);
const said = [];
page.on('console', (message) => said.push({ kind: message.type(), text: message.text() }));
page.on('pageerror', (error) => said.push({ kind: 'uncaught', text: String(error) }));

// Asked for before a window of files can open: one that nobody waits for is nobody's.
const nextWindow = () => {
  const opened = page.waitForFileChooser({ timeout: 0 });
  opened.catch(() => undefined);
  return opened;
};
let fileWindow = nextWindow();

const commands = {
  go: ({ url }) => page.goto(url),
  script: ({ script }) => page.evaluate(script),
  key: async ({ held, key }) => {
    if (held !== null) await page.keyboard.down(held);
    await page.keyboard.press(key === 'Space' ? ' ' : key);
    if (held !== null) await page.keyboard.up(held);
  },
  type: ({ text }) => page.keyboard.type(text),
  pick: async ({ path }) => {
    const opened = await fileWindow;
    fileWindow = nextWindow();
    await opened.accept([path]);
  },
  said: () => said,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { does, ...given } = JSON.parse(line);
  try {
    const answer = await commands[does](given);
    console.log(JSON.stringify({ answer: ['script', 'said'].includes(does) ? (answer ?? null) : null }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${does}: ${error}` }));
  }
}
await browser.close();
