// Starts npm's oidc-provider on loopback, as the EHR's authorization server.
// Reads its clients as one line of JSON, writes its issuer as one line, and ends
// when its standard input does.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

// Nobody reads standard output after the first line.
console.info = console.error;

const lines = createInterface({ input: process.stdin });
lines.on('close', () => process.exit());
const clients = await new Promise((resolve) => {
  lines.once('line', (line) => resolve(JSON.parse(line)));
});

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients,
  clientAuthMethods: ['none', 'client_secret_basic', 'private_key_jwt'],
  cookies: { keys: ['for tests only'], long: { sameSite: 'none' } },
  enableHttpPostMethods: true,
  enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
  extraParams: ['launch', 'aud'],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  expiresWithSession: () => false,
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  scopes: ['openid', 'launch', 'fhirUser', 'system/Appointment.rs'],
});

// The user signs in and consents at once, but to the launch token `refuse`.
async function interact(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const finish = (result) => provider.interactionFinished(request, response, result);
  if (!params.launch || params.aud !== `${issuer}/fhir`) {
    return finish({ error: 'invalid_launch_token' });
  }
  if (params.launch === 'refuse') {
    return finish({ error: 'access_denied', error_description: 'The user said no' });
  }
  const accountId = 'clinician';
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return finish({ login: { accountId }, consent: { grantId: await grant.save() } });
}

// SMART's document stands below the FHIR base; it has the fields of OpenID's.
async function metadata(response) {
  const openid = await fetch(`${issuer}/.well-known/openid-configuration`);
  response.setHeader('content-type', 'application/json');
  response.end(await openid.text());
}

const handle = provider.callback();
server.on('request', (request, response) => {
  const fail = (error) => response.writeHead(500).end(String(error));
  if (request.url === '/fhir/.well-known/smart-configuration') {
    metadata(response).catch(fail);
  } else if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch(fail);
  } else {
    handle(request, response);
  }
});
console.log(issuer);
