// What a receiver of webhooks does, on the public standardwebhooks package: prints the event, or fails.
//   node webhook.mjs SECRET HEADERS BODY
import { Webhook } from "standardwebhooks";

const [secret, headers, body] = process.argv.slice(2);
console.log(JSON.stringify(new Webhook(secret).verify(body, JSON.parse(headers))));
