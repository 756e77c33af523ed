// The handshake as Pexip's own client library does it.
import {
  ClientCallType,
  createCallSignals,
  createInfinityClient,
  createInfinityClientSignals,
} from "@pexip/infinity";

const link = new URLSearchParams(location.hash.split("?")[1]);
history.replaceState(null, "", location.pathname);

const signals = createInfinityClientSignals([], { batchScheduleTimeoutMS: 500, batchBufferSize: 10 });
const client = createInfinityClient(signals, createCallSignals([]));
const pin = link.get("pin");
let asked = false;
signals.onPinRequired.add(() => {
  if (!asked) {
    asked = true;
    join(pin === null ? "none" : pin);
  }
});

function join(withPin) {
  return client.call({
    conferenceAlias: link.get("conference"),
    displayName: link.get("name"),
    bandwidth: 0,
    callType: ClientCallType.None,
    host: location.origin,
    node: location.host,
    pin: withPin,
  });
}

join();
