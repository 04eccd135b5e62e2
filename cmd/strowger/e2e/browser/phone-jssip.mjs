// window.phone over JsSIP.
const JsSIP = window.require("jssip");
const media = { mediaConstraints: sound, pcConfig: { iceServers: [] } };
const ua = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(ask.ws)],
  uri: `sip:${ask.user}@${ask.domain}`,
  password: ask.password,
  register_expires: 120,
});
let session = null;
let held = null; // the first of two calls
let registered = "";
let socket = "";
ua.on("registered", () => (registered = "yes"));
ua.on("unregistered", () => (registered = "gone"));
ua.on("registrationFailed", (e) => (registered = `failed: ${e.cause}`));
ua.on("connected", () => (socket = "open"));
ua.on("disconnected", () => (socket = "refused"));
ua.on("newRTCSession", (e) => (session = e.session));

// refer resolves to the outcome of a transfer: "200", or "failed: CODE".
const refer = (from, to, options) =>
  new Promise((ok) => {
    const outcome = (e) => ok(e.status_line.status_code < 300 ? "200" : `failed: ${e.status_line.status_code}`);
    from.refer(to, { ...options, eventHandlers: { accepted: outcome, failed: outcome, requestFailed: () => ok("failed: REFER") } });
  });

window.phone = {
  connect: () => (ua.start(), until("an answer of the server", () => socket)),
  register: () => (ua.start(), until("an answer to REGISTER", () => registered)),
  unregister: () => (ua.unregister(), until("an answer to REGISTER", () => registered === "gone")),
  call: (to) => {
    session = ua.call(`sip:${to}@${ask.domain}`, media);
    return true;
  },
  rings: () => until("a call", () => session?.isInProgress() && session.remote_identity.uri.user),
  answer: () => (session.answer(media), true),
  up: () => until("the call to be up", () => session?.isEstablished()),
  // keys by RFC 4733, or by INFO
  keys: (keys, how) => (session.sendDTMF(keys, { transportType: how === "info" ? "INFO" : "RFC2833", duration: 100, interToneGap: 100 }), true),
  hold: () => new Promise((ok) => session.hold({}, () => ok(true))),
  resume: () => new Promise((ok) => session.unhold({}, () => ok(true))),
  // consult calls somebody while the first call is on hold; attend joins the two others; transfer sends the other one away.
  consult: (to) => ((held = session), window.phone.call(to)),
  attend: () => refer(held, session.remote_identity.uri, { replaces: session }),
  transfer: (to) => refer(session, `sip:${to}@${ask.domain}`, {}),
  hangup: () => (session.terminate(), true),
  over: () => until("the call to be over", () => session.isEnded()),
};
