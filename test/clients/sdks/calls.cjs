// One call with a vendor's SDK, as its documentation shows it, about the people
// given: node calls.cjs NAME BASE PEOPLE. PEOPLE is JSON: a list of {id, email,
// name, first, last, phone, username, ip}. BASE is a reverse route; without it
// the SDK speaks to the vendor's own host. The vendor's answer must please the
// SDK. What each call must tell about whom stands in calls_test.go.
const [, , name, base, list] = process.argv;
const [p, q] = JSON.parse(list);
const from = 'hello@photos.example';
const named = (who) => `"${who.name}" <${who.email}>`;

const calls = {
  // Two recipients of one personalization, a file, an argument of the app's own.
  async sendgrid() {
    const mail = require('@sendgrid/mail');
    const { Client } = require('@sendgrid/client');
    const client = new Client();
    client.setApiKey('SG.test');
    if (base) client.setDefaultRequest('baseUrl', base);
    mail.setClient(client);
    await mail.send({
      from: { email: from, name: 'Photos' }, to: [{ email: p.email, name: p.name }], cc: [q.email], subject: 'Your tickets', text: 'Two seats, see the file.',
      attachments: [{ content: Buffer.from('row,seat\n4,12\n').toString('base64'), filename: 'seats.csv', type: 'text/csv', disposition: 'attachment' }],
      customArgs: { order: '4711' }, categories: ['tickets'],
    });
  },
  // A batch: variables by address, multipart with a file.
  async mailgun() {
    const Mailgun = require('mailgun.js');
    const client = new (Mailgun.default ?? Mailgun)(FormData).client({ username: 'api', key: 'key-test', ...(base && { url: base }) });
    await client.messages.create('photos.example', {
      from: `Photos <${from}>`, to: [named(p), q.email], subject: 'Your seat', text: 'You have seat %recipient.seat%.',
      'recipient-variables': JSON.stringify({ [p.email]: { seat: '12A' }, [q.email]: { seat: '12B' } }),
      attachment: { filename: 'plan.txt', data: 'front' },
    });
  },
  async postmark() {
    const { ServerClient } = require('postmark');
    await new ServerClient('test').sendEmail({ From: from, To: named(p), Cc: q.email, Subject: 'Your photos', TextBody: 'Three new ones.', Tag: 'digest', Metadata: { order: '4711' } });
  },
  async resend() {
    const { Resend } = require('resend');
    const { error } = await new Resend('re_test', base ? { baseUrl: base } : {}).emails.send({ from, to: [named(p), q.email], subject: 'Your photos', html: '<p>Three new ones.</p>', tags: [{ name: 'kind', value: 'digest' }] });
    if (error) throw error;
  },
  async stripe() {
    const Stripe = require('stripe');
    await new (Stripe.default ?? Stripe)('sk_test_123', { maxNetworkRetries: 0 }).customers.create({
      email: p.email, name: p.name, phone: p.phone, description: 'since 2024', metadata: { order: '4711' },
      address: { line1: '12 Harbour Road', city: 'Leeds', postal_code: 'LS1 4AP', country: 'GB' },
    });
  },
  async twilio() {
    await require('twilio')('AC' + '0'.repeat(32), 'test').messages.create({ to: p.phone, from: '+12125550199', body: 'Your code is on its way.' });
  },
  // A profile is JSON within a form.
  async slack() {
    const { WebClient } = require('@slack/web-api');
    const web = new WebClient('xoxb-test', { retryConfig: { retries: 0 }, ...(base && { slackApiUrl: base + '/api/' }) });
    await web.users.lookupByEmail({ email: q.email });
    await web.users.profile.set({ user: 'U0CORDON01', profile: { first_name: p.first, last_name: p.last, email: p.email, phone: p.phone, title: 'Countess' } });
  },
  async hubspot() {
    const { Client } = require('@hubspot/api-client');
    const client = new Client({ accessToken: 'test', numberOfApiCallRetries: 0, ...(base && { basePath: base }) });
    await client.crm.contacts.basicApi.create({ properties: { email: p.email, firstname: p.first, lastname: p.last, phone: p.phone, city: 'Leeds' }, associations: [] });
  },
  async segment() {
    const { Analytics } = require('@segment/analytics-node');
    const options = { writeKey: 'test', maxRetries: 0 };
    if (base) Object.assign(options, { host: new URL(base).origin, path: new URL(base).pathname + '/v1/batch' });
    const analytics = new Analytics(options);
    const failed = [];
    analytics.on('error', (err) => failed.push(err));
    analytics.identify({ userId: p.id, traits: { email: p.email, name: p.name, phone: p.phone, username: p.username }, context: { ip: p.ip } });
    analytics.track({ userId: q.id, event: 'Photo Uploaded' });
    await analytics.closeAndFlush();
    if (failed.length) throw failed[0];
  },
  async intercom() {
    const { IntercomClient } = require('intercom-client');
    await new IntercomClient({ token: 'test', ...(base && { baseUrl: base }) }).contacts.create({ external_id: p.id, email: p.email, name: p.name, phone: p.phone });
  },
  async zendesk() {
    const { createClient } = require('node-zendesk');
    const client = createClient({ username: 'agent@photos.example', token: 'test', subdomain: 'photos', ...(base && { endpointUri: base + '/api/v2' }) });
    await client.tickets.create({ ticket: { subject: 'Where is my album', comment: { body: 'It was here on Monday.' }, requester: { name: p.name, email: p.email } } });
  },
  async sentry() {
    const sentry = require('@sentry/node');
    sentry.init({ dsn: base ? base.replace('://', '://test@') + '/1' : 'https://test@o1.ingest.sentry.io/1' });
    sentry.setUser({ id: p.id, email: p.email, username: p.username, ip_address: p.ip });
    sentry.captureException(new Error('no such album'));
    if (!await sentry.flush(10000)) throw new Error('not flushed');
  },
  async posthog() {
    const { PostHog } = require('posthog-node');
    const client = new PostHog('phc_test', { host: base || 'https://us.i.posthog.com', fetchRetryCount: 0 });
    const failed = [];
    client.on('error', (err) => failed.push(err));
    client.identify({ distinctId: p.id, properties: { email: p.email, name: p.name } });
    client.capture({ distinctId: q.id, event: 'photo uploaded', properties: { $ip: q.ip } });
    await client.shutdown(10000);
    if (failed.length) throw failed[0];
  },
  async klaviyo() {
    const { ApiKeySession, ProfilesApi } = require('klaviyo-api');
    const api = new ProfilesApi(new ApiKeySession('test'));
    if (base) api.basePath = base;
    await api.createProfile({ data: { type: 'profile', attributes: { email: p.email, phoneNumber: p.phone, externalId: p.id, firstName: p.first, lastName: p.last, location: { city: 'Leeds', country: 'GB', ip: p.ip } } } });
  },
  async auth0() {
    const { ManagementClient } = require('auth0');
    await new ManagementClient({ domain: 'photos.us.auth0.com', token: 'test' }).users.create({ connection: 'Username-Password-Authentication', email: p.email, password: 'correct horse 4 battery', name: p.name, username: p.username });
  },
  async okta() {
    const { Client } = require('@okta/okta-sdk-nodejs');
    await new Client({ orgUrl: 'https://photos.okta.com', token: 'test' }).userApi.createUser({
      activate: false, body: { profile: { firstName: p.first, lastName: p.last, email: p.email, login: p.email, mobilePhone: p.phone }, credentials: { password: { value: 'correct horse 4 battery' } } },
    });
  },
  async ses() {
    const { SESv2Client, SendEmailCommand } = require('@aws-sdk/client-sesv2');
    await new SESv2Client({ region: 'us-east-1', credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }, maxAttempts: 1, ...(base && { endpoint: base }) }).send(new SendEmailCommand({
      FromEmailAddress: from, Destination: { ToAddresses: [named(p)], CcAddresses: [q.email] },
      Content: { Simple: { Subject: { Data: 'Your photos' }, Body: { Text: { Data: 'Three new ones.' } } } },
    }));
  },
  async brevo() {
    const { BrevoClient } = require('@getbrevo/brevo');
    await new BrevoClient({ apiKey: 'test', maxRetries: 0, ...(base && { baseUrl: base + '/v3' }) }).transactionalEmails.sendTransacEmail({
      to: [{ email: p.email, name: p.name }], cc: [{ email: q.email }], sender: { email: from }, subject: 'Your photos', textContent: 'Three new ones.', params: { seat: '12A' },
    });
  },
  async customerio() {
    const { TrackClient, RegionUS } = require('customerio-node');
    await new TrackClient('site', 'test', { region: RegionUS }).identify(p.id, { email: p.email, first_name: p.first, phone: p.phone, plan: 'pro' });
  },
  // A profile, and an event of somebody else; GET with base64 of JSON.
  async mixpanel() {
    const to = base && new URL(base);
    const mixpanel = require('mixpanel').init('test', base ? { host: to.host, protocol: 'http', path: to.pathname } : {});
    const done = (send) => new Promise((ok, no) => send((err) => (err ? no(err) : ok())));
    await done((f) => mixpanel.people.set(p.id, { $email: p.email, $name: p.name, $phone: p.phone }, f));
    await done((f) => mixpanel.track('photo uploaded', { distinct_id: q.id, ip: q.ip }, f));
  },
};

setTimeout(() => { console.error('not done within a minute'); process.exit(2); }, 60000).unref();
calls[name]().then(() => process.exit(0), (err) => {
  console.error(err?.response?.body ?? err?.response?.data ?? '', err);
  process.exit(1);
});
