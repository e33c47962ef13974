// Finds what a person would, step by step as Playwright's locators do: by role and name, label or text. Run in Firefox and in WebKit.
(steps) => {
  const plain = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const ROLES = {
    button: 'button, [role=button], summary',
    dialog: 'dialog, [role=dialog]',
    heading: 'h1, h2, h3, h4',
    list: 'ul, ol',
    listitem: 'li',
    navigation: 'nav',
    slider: 'input[type=range]',
  };
  const FIELDS = 'input, textarea, select';
  const labels = (element) => {
    const own = element.getAttribute('aria-label');
    if (own !== null) return [own];
    const by = element.getAttribute('aria-labelledby');
    if (by !== null) return [by.split(' ').map((id) => document.getElementById(id)?.textContent).join(' ')];
    return [...(element.labels ?? [])].map((label) => label.textContent);
  };
  const nameOf = (element) => labels(element)[0] ?? element.textContent;
  const says = (text, { wanted, pattern, exact }) => {
    const said = plain(text);
    if (pattern !== undefined) return new RegExp(pattern).test(said) || new RegExp(pattern).test((text ?? '').trim());
    const what = plain(wanted);
    return exact ? said === what : said.toLowerCase().includes(what.toLowerCase());
  };
  const within = (roots, selector) => [...new Set(roots.flatMap((root) => [...root.querySelectorAll(selector)]))];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const ways = {
    role: (roots, { role, level, name }) =>
      within(roots, level === null ? ROLES[role] : `h${level}`).filter(
        (element) => shown(element) && (name === null || says(nameOf(element), name)),
      ),
    label: (roots, { name }) => within(roots, FIELDS).filter((element) => labels(element).some((label) => says(label, name))),
    text: (roots, { name }) =>
      within(roots, '*').filter(
        (element) =>
          !['SCRIPT', 'STYLE'].includes(element.tagName) &&
          says(element.textContent, name) &&
          ![...element.children].some((child) => says(child.textContent, name)),
      ),
    css: (roots, { selector }) => within(roots, selector),
    has: (roots, { name }) => roots.filter((element) => says(element.textContent, name)),
    first: (roots) => roots.slice(0, 1),
  };
  return steps.reduce((roots, { by, ...how }) => ways[by](roots, how), [document]);
}
