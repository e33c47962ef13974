// Drives Firefox over WebDriver BiDi for a test: one JSON command a line on standard input, one JSON answer a line back.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [proxy, languages, profile] = process.argv.slice(2);
const { hostname, port } = new URL(proxy);
const require = createRequire(new URL('../../web/', import.meta.url));
const { default: puppeteer } = await import(pathToFileURL(require.resolve('puppeteer-core')));
const finder = await readFile(new URL('finder.js', import.meta.url), 'utf8');
const PATIENCE_MS = 30_000;

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: '/usr/bin/firefox-esr',
  headless: true,
  ...(profile === undefined ? {} : { userDataDir: profile }),
  extraPrefsFirefox: {
    'intl.accept_languages': languages,
    'media.autoplay.default': 0,
    'network.proxy.type': 1,
    'network.proxy.http': hostname,
    'network.proxy.http_port': Number(port),
    'network.proxy.ssl': hostname,
    'network.proxy.ssl_port': Number(port),
    'network.proxy.allow_hijacking_localhost': true,
    'network.proxy.no_proxies_on': '',
  },
});
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE_MS);
const said = [];
page.on('console', (message) => said.push({ kind: message.type(), text: message.text() }));
page.on('pageerror', (error) => said.push({ kind: 'uncaught', text: String(error) }));

const element = async (role, name) => {
  const handle = await page.waitForFunction(`(() => { ${finder}; return relayFind(${JSON.stringify(role)}, ${JSON.stringify(name)}); })()`);
  return handle.asElement();
};

const atRest = new Function('found', `${finder}; return relayAtRest(found);`);

const commands = {
  go: ({ url }) => page.goto(url).then(() => null),
  back: () => page.goBack().then(() => null),
  reload: () => page.reload().then(() => null),
  see: ({ role, name }) => element(role, name).then(() => null),
  click: async ({ role, name }) => {
    const found = await element(role, name);
    await found.evaluate(atRest);
    await found.click();
    return null;
  },
  fill: async ({ name, text }) => {
    const found = await element('textbox', name);
    await found.click();
    await page.keyboard.type(text);
    return null;
  },
  pick: async ({ name, path }) => {
    await (await element('file', name)).uploadFile(path);
    return null;
  },
  script: ({ script }) => page.evaluate(script),
  until: ({ script }) => page.waitForFunction(script).then(() => null),
  said: () => Promise.resolve(said),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { does, ...given } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await commands[does](given)) ?? null }));
  } catch (error) {
    const seen = await page.evaluate(() => document.body.innerText).catch(() => '');
    console.log(JSON.stringify({ error: `${does} ${JSON.stringify(given)}: ${error}\n${seen}` }));
  }
}
await browser.close();
