// The parts of a launch, as Node.js does them: orders come on standard input, one JSON
// object a line, and so do the answers. Takes one argument, the JSON file with the task.
import assert from "node:assert/strict";
import { createDecipheriv, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { SignJWT, importPKCS8 } from "jose";
import nunjucks from "nunjucks";
import { openStore } from "./store.mjs";

const task = JSON.parse(readFileSync(process.argv[2], "utf8"));

const CONTEXT = {
  launch_information: { fname: "Beverley", mname: "Ada", lname: "Spinder", encfacnpiname: "Cardiology" },
  telehealth_integration: {
    name: "Healthcare Org",
    telehealth_call_domain: "telehealth.example.org",
    integration_uuid: "12daaebc-ea75-43c1-a6c7-c044be66a36e",
  },
  unique_encounter_id: "4711000123",
};
const SERVICE_NAME = "Appointment for Beverley Spinder Healthcare Org:4711000123 in Cardiology";
const BATCH = 64;
const FEW = 4;

function answer(operations, begun) {
  return { operations, nanoseconds: Number(process.hrtime.bigint() - begun) };
}

function repeat(milliseconds, batch, operation) {
  const end = BigInt(milliseconds) * 1_000_000n;
  const begun = process.hrtime.bigint();
  let operations = 0;
  do {
    for (let count = 0; count < batch; count += 1) operation();
    operations += batch;
  } while (process.hrtime.bigint() - begun < end);
  return answer(operations, begun);
}

async function repeatAsync(milliseconds, operation) {
  const end = BigInt(milliseconds) * 1_000_000n;
  const begun = process.hrtime.bigint();
  let operations = 0;
  do {
    for (let count = 0; count < FEW; count += 1) await operation();
    operations += FEW;
  } while (process.hrtime.bigint() - begun < end);
  return answer(operations, begun);
}

function joinLink(milliseconds) {
  const read = () => {
    const { link } = task;
    const parameters = new URLSearchParams(link.slice(link.indexOf("?", link.indexOf("#"))));
    const conference = parameters.get("conference");
    const pin = parameters.get("pin");
    const name = parameters.get("name");
    const role = parameters.get("role");
    return { conference, pin, name, role };
  };
  assert.equal(read().name, "Beverley Ada Spinder");
  return repeat(milliseconds, BATCH, read);
}

function decrypt(milliseconds) {
  const key = Buffer.from(task.key, "base64");
  const iv = Buffer.alloc(16);
  const clear = () => {
    const decipher = createDecipheriv("aes-256-cbc", key, iv);
    return decipher.update(task.ciphertext, "base64", "utf8") + decipher.final("utf8");
  };
  assert.equal(clear(), task.clear);
  return repeat(milliseconds, BATCH, clear);
}

const environment = new nunjucks.Environment(null, { autoescape: false });

function render(milliseconds) {
  const template = nunjucks.compile(task.template, environment);
  const rendered = () => template.render(CONTEXT);
  assert.equal(rendered(), SERVICE_NAME);
  return repeat(milliseconds, BATCH, rendered);
}

function parseAndRender(milliseconds) {
  const rendered = () => nunjucks.compile(task.template, environment).render(CONTEXT);
  assert.equal(rendered(), SERVICE_NAME);
  return repeat(milliseconds, FEW, rendered);
}

const sign = (algorithm, pem) => async (milliseconds) => {
  const key = await importPKCS8(pem, algorithm);
  return repeatAsync(milliseconds, () => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ jti: randomBytes(24).toString("base64url") })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: "key" })
      .setIssuer("client")
      .setSubject("client")
      .setAudience("https://ehr.example.org/oauth2/token")
      .setIssuedAt(now - 5)
      .setExpirationTime(now + 240)
      .sign(key);
  });
};

const stores = new Map();

const state = (database) => async (milliseconds) => {
  const name = JSON.stringify(database);
  if (!stores.has(name)) stores.set(name, await openStore(database));
  const store = stores.get(name);
  const verifier = randomBytes(32).toString("base64url");
  const encrypted = "7".repeat(500);
  return repeatAsync(milliseconds, async () => {
    const hash = randomBytes(32);
    const now = Date.now();
    const id = randomUUID();
    await store.begin(hash, id, "patient", randomBytes(32), verifier, encrypted, now, now + 600_000);
    const consumed = await store.consume(hash, "patient", now);
    if (consumed?.request_id !== id) throw new Error("the state cannot be consumed");
  });
};

const PARTS = {
  join_link: joinLink,
  decrypt,
  render,
  parse_and_render: parseAndRender,
  es384: sign("ES384", task.es384),
  rs384: sign("RS384", task.rs384),
  state_sqlite: state({ sqlite: task.sqlite }),
  state_postgresql: state({ postgres: task.postgresql }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { part, milliseconds } = JSON.parse(line);
  console.log(JSON.stringify(await PARTS[part](milliseconds)));
}
process.exit();
