// One customer with npm's stripe: NAME EMAIL. It takes no base URL with a path;
// for a reverse route its own HTTP client is told to add one.
import Stripe from 'stripe';

const options = {};
if (process.env.BASE_URL) {
  const base = new URL(process.env.BASE_URL);
  const httpClient = Stripe.createNodeHttpClient();
  const original = httpClient.makeRequest;
  httpClient.makeRequest = function (host, port, path, ...rest) {
    return original.call(this, host, port, base.pathname + path, ...rest);
  };
  Object.assign(options, { host: base.hostname, port: base.port, protocol: 'http', httpClient });
}
const stripe = new Stripe('sk_test_123', options);
const customer = await stripe.customers.create({ name: process.argv[2], email: process.argv[3] });
console.log(customer.id);
