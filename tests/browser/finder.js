// Finds what a person would: a button, field, heading or text by its name. Run in Firefox and in WebKit; gives the element or null.
function relayFind(role, name) {
  const plain = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const selectors = {
    button: 'button, [role=button], summary',
    link: 'a[href]',
    heading: 'h1, h2, h3, h4',
    textbox: 'textarea, input:not([type=checkbox]):not([type=radio]):not([type=file]), [contenteditable]',
    checkbox: 'input[type=checkbox]',
    radio: 'input[type=radio]',
    combobox: 'select',
    file: 'input[type=file]',
    video: 'video',
    text: 'p, li, dd, dt, td, span, div, strong, h1, h2, h3, label, summary, output',
  };
  const nameOf = (element) => {
    const label = element.getAttribute('aria-label');
    if (label !== null) return plain(label);
    const by = element.getAttribute('aria-labelledby');
    if (by !== null) return plain(by.split(' ').map((id) => document.getElementById(id)?.textContent).join(' '));
    if (element.labels?.length > 0) return plain(element.labels[0].textContent);
    return plain(element.textContent);
  };
  const wanted = plain(name);
  const shown = (element) => element.type === 'file' || element.getClientRects().length > 0;
  const found = [...document.querySelectorAll(selectors[role])].filter(shown);
  return (
    found.find((element) => nameOf(element) === wanted) ??
    found.find((element) => (wanted === '' ? true : nameOf(element).startsWith(wanted))) ??
    (role === 'text' ? found.reverse().find((element) => nameOf(element).includes(wanted)) : undefined) ??
    null
  );
}

// Brings an element to the middle of the window, and waits until it stays there: a page that just changed may scroll by itself.
async function relayAtRest(element) {
  const frame = () => new Promise((painted) => requestAnimationFrame(painted));
  for (let at = null; ; ) {
    element.scrollIntoView({ block: 'center' });
    await frame();
    await frame();
    const { x, y } = element.getBoundingClientRect();
    if (at === `${x} ${y}`) return;
    at = `${x} ${y}`;
  }
}
