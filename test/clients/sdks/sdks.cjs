// One call with each of twenty vendors' SDKs, as their documentation shows it,
// to the vendor's real host: node sdks.cjs NAME. `node sdks.cjs` lists them as
// JSON, name and host. Whether the vendor's answer pleases the SDK is not
// asked; that the request went where `cordon exec` wants it is.
const to = 'ada@example.org';

const sdks = {
  sendgrid: ['api.sendgrid.com', async () => {
    const m = require('@sendgrid/mail');
    m.setApiKey('SG.test');
    await m.send({ to, from: 'hello@photos.example', subject: 's', text: 't' });
  }],
  mailgun: ['api.mailgun.net', async () => {
    const Mailgun = require('mailgun.js');
    const m = new (Mailgun.default ?? Mailgun)(FormData).client({ username: 'api', key: 'k' });
    await m.messages.create('photos.example', { to: [to], from: 'hello@photos.example', subject: 's', text: 't' });
  }],
  postmark: ['api.postmarkapp.com', async () => {
    const { ServerClient } = require('postmark');
    await new ServerClient('k').sendEmail({ From: 'hello@photos.example', To: to, Subject: 's', TextBody: 't' });
  }],
  resend: ['api.resend.com', async () => {
    const { Resend } = require('resend');
    await new Resend('re_k').emails.send({ from: 'hello@photos.example', to, subject: 's', text: 't' });
  }],
  stripe: ['api.stripe.com', async () => {
    const Stripe = require('stripe');
    await new (Stripe.default ?? Stripe)('sk_test_1', { maxNetworkRetries: 0 }).customers.create({ email: to });
  }],
  twilio: ['api.twilio.com', async () => {
    await require('twilio')('AC' + '0'.repeat(32), 'k').messages.create({ to: '+12125550100', from: '+12125550101', body: 't' });
  }],
  slack: ['slack.com', async () => {
    const { WebClient } = require('@slack/web-api');
    await new WebClient('xoxb-1', { retryConfig: { retries: 0 } }).chat.postMessage({ channel: 'C1', text: to });
  }],
  hubspot: ['api.hubapi.com', async () => {
    const { Client } = require('@hubspot/api-client');
    await new Client({ accessToken: 'k' }).crm.contacts.basicApi.create({ properties: { email: to }, associations: [] });
  }],
  segment: ['api.segment.io', async () => {
    const { Analytics } = require('@segment/analytics-node');
    const a = new Analytics({ writeKey: 'k', maxRetries: 0 });
    a.identify({ userId: 'u1', traits: { email: to } });
    await a.closeAndFlush();
  }],
  intercom: ['api.intercom.io', async () => {
    const { IntercomClient } = require('intercom-client');
    await new IntercomClient({ token: 'k' }).contacts.create({ email: to });
  }],
  zendesk: ['photos.zendesk.com', async () => {
    const { createClient } = require('node-zendesk');
    await createClient({ username: 'a@photos.example', token: 'k', subdomain: 'photos' }).tickets.create({ ticket: { subject: 's', comment: { body: to } } });
  }],
  sentry: ['o1.ingest.sentry.io', async () => {
    const s = require('@sentry/node');
    s.init({ dsn: 'https://k@o1.ingest.sentry.io/1' });
    s.setUser({ email: to });
    s.captureMessage('m');
    await s.flush(5000);
  }],
  posthog: ['us.i.posthog.com', async () => {
    const { PostHog } = require('posthog-node');
    const p = new PostHog('phc_k', { host: 'https://us.i.posthog.com', fetchRetryCount: 0 });
    p.capture({ distinctId: 'u1', event: 'e', properties: { $set: { email: to } } });
    await p.shutdown(5000);
  }],
  klaviyo: ['a.klaviyo.com', async () => {
    const k = require('klaviyo-api');
    await new k.ProfilesApi(new k.ApiKeySession('k')).createProfile({ data: { type: 'profile', attributes: { email: to } } });
  }],
  auth0: ['photos.us.auth0.com', async () => {
    const { ManagementClient } = require('auth0');
    await new ManagementClient({ domain: 'photos.us.auth0.com', token: 'k' }).users.create({ connection: 'c', email: to, password: 'p' });
  }],
  okta: ['photos.okta.com', async () => {
    const { Client } = require('@okta/okta-sdk-nodejs');
    await new Client({ orgUrl: 'https://photos.okta.com', token: 'k' }).userApi.createUser({ body: { profile: { email: to, login: to } } });
  }],
  ses: ['email.us-east-1.amazonaws.com', async () => {
    const { SESv2Client, SendEmailCommand } = require('@aws-sdk/client-sesv2');
    await new SESv2Client({ region: 'us-east-1', credentials: { accessKeyId: 'A', secretAccessKey: 's' }, maxAttempts: 1 }).send(
      new SendEmailCommand({ FromEmailAddress: 'hello@photos.example', Destination: { ToAddresses: [to] }, Content: { Simple: { Subject: { Data: 's' }, Body: { Text: { Data: 't' } } } } }));
  }],
  brevo: ['api.brevo.com', async () => {
    const { BrevoClient } = require('@getbrevo/brevo');
    await new BrevoClient({ apiKey: 'k', maxRetries: 0 }).transactionalEmails.sendTransacEmail({ to: [{ email: to }], sender: { email: 'hello@photos.example' }, subject: 's', textContent: 't' });
  }],
  customerio: ['track.customer.io', async () => {
    const { TrackClient, RegionUS } = require('customerio-node');
    await new TrackClient('s', 'k', { region: RegionUS }).identify('u1', { email: to });
  }],
  mixpanel: ['api.mixpanel.com', async () => {
    const m = require('mixpanel').init('k');
    await new Promise((done, failed) => m.track('e', { distinct_id: to }, (err) => (err ? failed(err) : done())));
  }],
};

const name = process.argv[2];
if (!name) {
  console.log(JSON.stringify(Object.entries(sdks).map(([name, [host]]) => ({ name, host }))));
} else {
  setTimeout(() => process.exit(2), 15000).unref();
  sdks[name][1]().then(() => console.log('ok'), (err) => { console.error(err); process.exitCode = 1; });
}
