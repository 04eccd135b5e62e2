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
let registered = "";
let socket = "";
ua.on("registered", () => (registered = "yes"));
ua.on("unregistered", () => (registered = "gone"));
ua.on("registrationFailed", (e) => (registered = `failed: ${e.cause}`));
ua.on("connected", () => (socket = "open"));
ua.on("disconnected", () => (socket = "refused"));
ua.on("newRTCSession", (e) => (session = e.session));

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
  hangup: () => (session.terminate(), true),
  over: () => until("the call to be over", () => session.isEnded()),
};
