// What relay tells: by webhook, and asked for. Each event counts once, in whatever way it came first.

import { Webhook } from 'standardwebhooks';

const WAITS = 'Something waits for them on their page.';
const TO_WRITE = {
  'participant.message-waiting': WAITS,
  'participant.message-returned': WAITS,
  'participant.video-failed': WAITS,
  'participant.answer-shared': WAITS,
};

/** Stores an event and what follows from it; false where it was there. What is not known is stored, too. */
export function take(store, event, by) {
  const key = `${event.id} ${event.at}`; // a relay that was restored from a copy gives numbers again
  if (key in store.data.taken) {
    return false;
  }
  const { type, at, participant } = event;
  store.data.taken[key] = { type, at, case: event.case, participant, by };
  if (type in TO_WRITE && participant in store.data.people) {
    store.data.toWrite.push({ key, person: participant, why: TO_WRITE[type] });
  }
  store.save();
  return true;
}

/** What answers relay's POST: 204 once the event is stored, 400 for what is not relay's or too old. */
export function webhook(store, secret) {
  const verifier = new Webhook(secret);
  return (body, headers) => {
    let event;
    try {
      event = verifier.verify(body, headers);
    } catch {
      return 400;
    }
    take(store, event, 'webhook');
    return 204;
  };
}

/** Asks for what no webhook brought, again and again. */
export async function pull(store, call) {
  for (;;) {
    try {
      const path = `/v1/events?after=${store.data.next}&wait=30`;
      const { body } = await call('GET', path, 'events:read', { seconds: 45 });
      body.events.forEach((event) => take(store, event, 'asked'));
      store.data.next = body.next;
    } catch (error) {
      console.error(error.message);
      if (error.code === 'events-gone') {
        store.data.next = 0; // no state comes from events here, so there is nothing else to read again
      }
      await new Promise((go) => setTimeout(go, 2000));
    }
    store.save();
  }
}
