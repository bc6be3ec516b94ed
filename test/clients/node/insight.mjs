// One identify and one track with @segment/analytics-node: USER EMAIL NAME.
import { Analytics } from '@segment/analytics-node';

const options = { writeKey: 'example' };
if (process.env.BASE_URL) {
  const base = new URL(process.env.BASE_URL);
  Object.assign(options, { host: base.origin, path: base.pathname + '/v1/batch' });
}
const [userId, email, name] = process.argv.slice(2);
const analytics = new Analytics(options);
const failed = [];
analytics.on('error', (err) => failed.push(err));
analytics.identify({ userId, traits: { email, name } });
analytics.track({ userId, event: 'Photo Uploaded', properties: { photos: 3 } });
await analytics.closeAndFlush();
if (failed.length) {
  console.error(failed);
  process.exit(1);
}
console.log('ok');
