// Starts npm's oidc-provider on loopback, as the sign-in of an organisation. Reads one
// line of JSON: its clients, the claims of each account, and the time at which it begins.
// Writes its issuer as one line, and ends when its standard input does.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

// Nobody reads standard output after the first line.
console.info = console.error;

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit());
const { clients, accounts, now } = await new Promise((resolve) => {
  lines.once('line', (line) => resolve(JSON.parse(line)));
});

// The clock of the server under test stands where the test has put it.
const offset = now - Date.now();
const machine = Date.now.bind(Date);
Date.now = () => machine() + offset;
const { default: Provider } = await import('oidc-provider');

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  clientAuthMethods: ['client_secret_basic'],
  conformIdTokenClaims: false,
  cookies: { keys: ['for tests only'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  scopes: ['openid', 'profile'],
});

// Whoever the test names in a cookie signs in and consents at once.
async function interact(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const accountId = /account=(\w+)/.exec(request.headers.cookie)[1];
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  return provider.interactionFinished(request, response, {
    login: { accountId },
    consent: { grantId },
  });
}

const handle = provider.callback();
server.on('request', (request, response) => {
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
  } else {
    handle(request, response);
  }
});
console.log(issuer);
