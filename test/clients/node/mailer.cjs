// One message with @sendgrid/mail to the addresses given as NAME ADDRESS pairs.
const sendgrid = require('@sendgrid/mail');

sendgrid.setApiKey('SG.test');
if (process.env.BASE_URL) {
  const { Client } = require('@sendgrid/client');
  const client = new Client();
  client.setApiKey('SG.test');
  client.setDefaultRequest('baseUrl', process.env.BASE_URL);
  sendgrid.setClient(client);
}
const personalizations = [];
for (let i = 2; i < process.argv.length; i += 2) {
  personalizations.push({ to: [{ name: process.argv[i], email: process.argv[i + 1] }] });
}
sendgrid.send({
  from: { name: 'Example Photos', email: 'hello@photos.example' },
  subject: 'The week in photos', text: 'Three friends like your photo.', personalizations,
}).then(([answer]) => console.log(answer.statusCode), (err) => {
  console.error(err.code, err.message, JSON.stringify(err.response?.body));
  process.exit(1);
});
