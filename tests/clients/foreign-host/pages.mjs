// How the pages look. Everything that comes from elsewhere goes through `html`, which escapes it.

class Html {
  constructor(text) {
    this.text = text;
  }
}

const escaped = (value) =>
  value instanceof Html ? value.text
    : Array.isArray(value) ? value.map(escaped).join('')
      : String(value ?? '').replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);

const html = (parts, ...values) =>
  new Html(parts.map((part, at) => part + (at < values.length ? escaped(values[at]) : '')).join(''));

const page = (title, body, scripts = '') => html`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<link rel="icon" href="data:,">${scripts}<h1>${title}</h1><p><a href="/">Cases</a></p>${body}</html>`.text;

const button = (action, name, etag = '') =>
  html`<form method="post" action="${action}"><input type="hidden" name="etag" value="${etag}"><button>${name}</button></form>`;

const stateOf = ({ view }) =>
  view === null ? 'not at relay yet'
    : view.closed_at ? `closed since ${view.closed_at}`
      : view.charter_version === 0 ? 'registered: a mediator has to open it in the console' : 'open';

export function problem(message) {
  return page('relay did not do this', html`<p role="alert">${message}</p>`);
}

export function overview(data, mediators) {
  const waiting = data.toWrite.map(({ key, person, why }) =>
    html`<li>${data.people[person]}: ${why} ${button(`/written/${encodeURIComponent(key)}`, 'Written')}</li>`);
  const cases = Object.entries(data.cases).map(([id, one]) =>
    html`<li><a href="/cases/${id}">${one.reference}: ${one.title}</a> (${stateOf(one)})</li>`);
  return page('Cases', html`
<h2>To write to</h2><ul id="to-write">${waiting}</ul>
<h2>All cases</h2><ul>${cases}</ul>
<h2>A new case</h2>
<form method="post" action="/cases">
<p><label>Reference <input name="reference" required></label></p>
<p><label>Title <input name="title" required></label></p>
<p><label>Person harmed <input name="harmed" required></label></p>
<p><label>Person responsible <input name="responsible" required></label></p>
<p><label>Mediator <select name="mediator">${mediators.map(({ name, id }) => html`<option value="${id}">${name}</option>`)}
</select></label></p><p><button>Register</button></p></form>`);
}

export function oneCase(id, one, data, mediators) {
  const told = Object.values(data.taken).filter((event) => event.case === id)
    .map(({ type, at, participant, by }) => html`<li>${at} ${type} ${data.people[participant]} (${by})</li>`);
  const others = mediators.filter((mediator) => !one.mediators.includes(mediator.id));
  return page(`${one.reference}: ${one.title}`, html`
<p id="state">${stateOf(one)}</p>
<ul>${one.people.map(({ participant, role }) => html`<li>${role}: ${data.people[participant]}</li>`)}</ul>
<p>The mediator makes each person's link in the console and gives it to them; this system never has it.</p>
<ul>${mediators.map((mediator) => html`<li><a href="/cases/${id}/console/${mediator.id}">Console of ${mediator.name}</a></li>`)}</ul>
${others.map((mediator) => button(`/cases/${id}/mediators/${mediator.id}`, `Ask for ${mediator.name}`, one.etag))}
${button(`/cases/${id}/closing/${one.view?.closed_at ? 'open' : 'close'}`, one.view?.closed_at ? 'Open again' : 'Close')}
<h2>What happened</h2><ul id="told">${told}</ul>`);
}

export function consolePage(mediator, handed, integrity) {
  const scripts = html`<script src="${handed.relay}/embed.js" integrity="${integrity}" crossorigin="anonymous"></script>
<script src="/console.js" type="module"></script>`;
  return page(`Console of ${mediator.name}`, html`<p id="said" role="status"></p>
<div id="relay" data-handed="${JSON.stringify(handed)}"></div>`, scripts);
}
