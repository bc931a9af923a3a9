// Reads flags as a page would, with OpenFeature's packages as they are; prints what it saw as JSON.
import { OpenFeature } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

const [url, key] = process.argv.slice(2);
const statuses = [];
const fetchImplementation = async (...given) => {
  const response = await fetch(...given);
  statuses.push(response.status);
  return response;
};
const provider = new OFREPWebProvider({
  baseUrl: url,
  headers: [['Authorization', `Bearer ${key}`]],
  pollInterval: 100,
  fetchImplementation,
});

await OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' });
const client = OpenFeature.getClient();
const seen = {
  loyal: client.getBooleanValue('loyal', false),
  part: client.getBooleanValue('pilot/a', false),
  otherPart: client.getBooleanValue('pilot/b', true),
  plan: client.getStringValue('customer.plan', 'free'),
  unset: client.getStringValue('customer.city', 'nowhere'),
  unknown: client.getBooleanDetails('nothing', true).errorCode,
};
while (statuses.length < 2) await new Promise((done) => setTimeout(done, 20));
await OpenFeature.setContext({ targetingKey: 'stranger' });
seen.stranger = client.getBooleanValue('loyal', true);
seen.statuses = [statuses[0], statuses[1], statuses.at(-1)];
console.log(JSON.stringify(seen));
process.exit(0);
