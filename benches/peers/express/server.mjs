// A launch as Express does it: the contender of `cargo xtask bench load`. Takes one
// argument, the JSON file with address, profile and database.
import { createDecipheriv, createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import express from "express";
import nunjucks from "nunjucks";
import { Agent, request } from "undici";
import { openStore } from "./store.mjs";

const { port, profile, database } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const key = Buffer.from(profile.encryption_key, "base64");
const iv = Buffer.alloc(16);
const agent = new Agent({ connections: 64 });
const store = await openStore(database);

const environment = new nunjucks.Environment(null, { autoescape: false });
const template = (source) => nunjucks.compile(source, environment);
const templates = Object.fromEntries(
  Object.entries(profile.templates).map(([name, source]) => [name, template(source)]),
);
const integration = profile.telehealth_integration;

class Refused extends Error {}

const sha256 = (text) => createHash("sha256").update(text).digest();

let metadata;
let metadataUntil = 0;

async function findMetadata(iss) {
  if (Date.now() >= metadataUntil) {
    const answer = await request(`${iss}/.well-known/smart-configuration`, { dispatcher: agent });
    if (answer.statusCode !== 200) throw new Refused("metadata");
    metadata = await answer.body.json();
    metadataUntil = Date.now() + 300_000;
  }
  return metadata;
}

function decrypt(text) {
  const decipher = createDecipheriv("aes-256-cbc", key, iv);
  const clear = decipher.update(text, "base64", "utf8") + decipher.final("utf8");
  return Object.fromEntries(new URLSearchParams(clear));
}

async function exchange(code, verifier, role) {
  const { client_id, client_secret, redirect_uri } = profile[role];
  const endpoint = metadata.token_endpoint;
  const answer = await request(endpoint, {
    dispatcher: agent,
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri,
      code_verifier: verifier,
    }).toString(),
  });
  const tokens = await answer.body.json();
  if (answer.statusCode !== 200 || !tokens.access_token) throw new Refused("token");
  return tokens;
}

async function begin(role, uuid, { iss, launch, data }) {
  if (uuid !== profile.uuid || !data || !launch) throw new Refused("profile");
  if (!iss?.startsWith(profile.iss)) throw new Refused("iss");
  const { authorization_endpoint } = await findMetadata(iss);
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(32).toString("base64url");
  const now = Date.now();
  const fingerprint = sha256(`${role} ${iss} ${launch}`);
  const begun = await store.begin(
    sha256(state), randomUUID(), role, fingerprint, verifier, data, now, now + 600_000,
  );
  if (!begun) throw new Refused("used");
  const { client_id, redirect_uri } = profile[role];
  const query = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri,
    scope: profile.scope,
    launch,
    aud: iss,
    state,
    code_challenge: sha256(verifier).toString("base64url"),
    code_challenge_method: "S256",
  });
  return `${authorization_endpoint}?${query}`;
}

async function join(role, uuid, { code, state }) {
  if (uuid !== profile.uuid || !code || !state) throw new Refused("profile");
  const launch = await store.consume(sha256(state), role, Date.now());
  if (!launch) throw new Refused("state");
  await exchange(code, launch.verifier, role);
  const information = decrypt(launch.encrypted);
  const encounter = information.csn;
  if (!encounter) throw new Refused("encounter");
  const context = {
    telehealth_integration: integration,
    launch_information: information,
    telehealth_request_id: launch.request_id,
    unique_encounter_id: encounter,
    base_telehealth_alias: randomUUID(),
  };
  const appointment = {
    encounter,
    service_name: templates.service_name.render(context),
    pin: String(randomInt(100_000_000)).padStart(8, "0"),
  };
  const alias = templates.alias.render(context);
  const name = templates[`${role}_display_name`].render(context);
  const pin = await store.complete(launch.request_id, appointment, alias, Date.now());
  if (pin === undefined) throw new Refused("used");
  return templates[`${role}_join_link`].render({
    ...context,
    telehealth_alias: alias,
    display_name: name,
    pin,
  });
}

const answering = (step) => async (incoming, answer) => {
  const { role, uuid } = incoming.params;
  try {
    if (role !== "patient" && role !== "provider") throw new Refused("role");
    answer.redirect(303, await step(role, uuid, incoming.query));
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    answer.status(error instanceof Refused ? 400 : 500).send("The launch has failed.");
  }
};

const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.get("/api/telehealth/v1/:role/oauth2smartlaunch/:uuid", answering(begin));
app.get("/api/telehealth/v1/:role/oauth2authorized/:uuid", answering(join));
app.get("/healthz", (_, answer) => answer.send("ok"));
const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${port}`);
});
// As long as Vestibule's.
server.keepAliveTimeout = 75_000;
