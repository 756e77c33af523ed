// A SMART application on npm's `fhirclient`, which nobody of this project wrote.
//
// Standard input: one line of JSON, how the application authenticates and signs in:
// { "authentication": "public" | "secret" | "ES384" | "RS384", "pkce": "required" | … }
// Standard output: one line of JSON, the application's address and public keys.
// After a launch, /callback answers with all that the application could read.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const smart = require("fhirclient");
// The library that fhirclient itself signs with.
const jose = createRequire(require.resolve("fhirclient"))("jose");

const lines = createInterface({ input: process.stdin });
const [line] = await once(lines, "line");
const { authentication, pkce } = JSON.parse(line);

const credentials = {};
let jwks;
if (authentication === "secret") {
  credentials.clientSecret = "a-secret-of-plain-letters";
} else if (authentication !== "public") {
  const pair = await jose.generateKeyPair(authentication, { extractable: true });
  const name = { alg: authentication, kid: "fhirclient-1" };
  credentials.clientPrivateJwk = { ...(await jose.exportJWK(pair.privateKey)), ...name };
  jwks = { keys: [{ ...(await jose.exportJWK(pair.publicKey)), ...name, use: "sig" }] };
}

const states = new Map();
const storage = {
  get: async (key) => states.get(key),
  set: async (key, value) => (states.set(key, value), value),
  unset: async (key) => states.delete(key),
};

const routes = {
  "/launch": (request, response) =>
    smart(request, response, storage).authorize({
      clientId: "provider-app",
      redirectUri: "/callback",
      scope:
        "launch openid fhirUser profile online_access patient/Patient.read patient/Encounter.read",
      // The library's own states have 95 bits of randomness; SMART asks for 122.
      stateKey: randomBytes(24).toString("hex"),
      pkceMode: pkce,
      ...credentials,
    }),
  "/callback": async (request, response) => {
    const client = await smart(request, response, storage).ready();
    const read = {
      patient: await client.patient.read(),
      encounter: await client.encounter.read(),
      user: await client.user.read(),
      userType: client.user.resourceType,
      scope: client.getState("tokenResponse.scope"),
      idToken: await verified(client),
    };
    // With a key the library signs in, but does not refresh.
    if (client.getState("tokenResponse.refresh_token") && credentials.clientSecret) {
      const before = client.getState("tokenResponse.access_token");
      await client.refresh();
      read.isRefreshed = before !== client.getState("tokenResponse.access_token");
      read.patientAgain = await client.patient.read();
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(read));
  },
};

/** The id token's claims, once its signature is found good by the EHR's published key. */
async function verified(client) {
  const issuer = new URL("/oauth2", client.state.serverUrl).href;
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { jwks_uri } = await discovery.json();
  const keys = jose.createRemoteJWKSet(new URL(jwks_uri));
  const token = client.getState("tokenResponse.id_token");
  const options = { issuer, audience: "provider-app", algorithms: ["RS256"] };
  return (await jose.jwtVerify(token, keys, options)).payload;
}

const server = http.createServer(async (request, response) => {
  try {
    await routes[new URL(request.url, "http://localhost").pathname](request, response);
  } catch (error) {
    response.writeHead(500, { "content-type": "text/plain" });
    response.end(String(error?.stack ?? error));
  }
});
server.listen(0, "127.0.0.1", () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ address, jwks }));
});
// It ends with the test, whatever becomes of that.
lines.on("close", () => process.exit());
