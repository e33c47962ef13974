// Everything that an origin stores in a browser, as [place, base64] pairs.
async () => {
  const out = [];
  const base64 = (bytes) => {
    let text = '';
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  };
  const put = (place, bytes) => out.push([place, base64(bytes)]);
  const text = (place, value) => put(place, new TextEncoder().encode(String(value)));
  const walk = async (place, value) => {
    if (value instanceof Blob) put(place, new Uint8Array(await value.slice(0, 4194304).arrayBuffer()));
    else if (value instanceof ArrayBuffer) put(place, new Uint8Array(value));
    else if (ArrayBuffer.isView(value)) put(place, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (value instanceof CryptoKey) text(place, value.extractable ? 'EXTRACTABLE-KEY' : 'kept key');
    else if (Array.isArray(value)) for (const [i, each] of value.entries()) await walk(`${place}.${i}`, each);
    else if (value !== null && typeof value === 'object')
      for (const [name, each] of Object.entries(value)) { text(place, name); await walk(`${place}.${name}`, each); }
    else text(place, value);
  };
  for (const [name, storage] of [['localStorage', localStorage], ['sessionStorage', sessionStorage]])
    for (let i = 0; i < storage.length; i++) {
      const key = storage.key(i);
      text(`${name} ${key}`, key);
      text(`${name} ${key}`, storage.getItem(key));
    }
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((good, bad) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => good(asked.result);
      asked.onerror = () => bad(asked.error);
    });
    for (const store of database.objectStoreNames) {
      const all = await new Promise((good, bad) => {
        const found = [];
        const asked = database.transaction(store).objectStore(store).openCursor();
        asked.onsuccess = () => {
          const at = asked.result;
          if (at === null) return good(found);
          found.push([at.key, at.value]);
          at.continue();
        };
        asked.onerror = () => bad(asked.error);
      });
      for (const [key, value] of all) {
        await walk(`IndexedDB ${name} ${store} key`, key);
        await walk(`IndexedDB ${name} ${store}`, value);
      }
    }
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      text(`Cache ${name}`, request.url);
      const kept = await cache.match(request);
      put(`Cache ${name}`, new Uint8Array(await (await kept.blob()).slice(0, 4194304).arrayBuffer()));
    }
  }
  const files = async (folder, place) => {
    for await (const [name, handle] of folder.entries()) {
      text(place, name);
      if (handle.kind === 'directory') await files(handle, `${place}/${name}`);
      else put(`${place}/${name}`, new Uint8Array(await (await handle.getFile()).slice(0, 4194304).arrayBuffer()));
    }
  };
  // WebKitGTK has no such folder where an address is not secure.
  if (navigator.storage) await files(await navigator.storage.getDirectory(), 'files');
  text('cookies', document.cookie);
  text('name', window.name);
  text('history state', JSON.stringify(history.state));
  const entries = 'navigation' in window ? navigation.entries().map((entry) => entry.url) : [location.href];
  for (const url of entries) text('history', url);
  return out;
}
