// window.phone over SIP.js.
import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from "/node_modules/sip.js/lib/index.js";

const target = (user) => UserAgent.makeURI(`sip:${user}@${ask.domain}`);
const options = { sessionDescriptionHandlerOptions: { constraints: sound } };
let session = null;
let held = null; // the first of two calls
let early = null; // the last 18x of the second
let pending = null; // the outcome of a transfer to a target that rings
const ua = new UserAgent({
  uri: target(ask.user),
  transportOptions: { server: ask.ws },
  authorizationUsername: ask.user,
  authorizationPassword: ask.password,
  logLevel: "warn",
  sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] }, iceGatheringTimeout: 500 },
  delegate: { onInvite: (invitation) => (session = invitation) },
});
const registerer = new Registerer(ua, { expires: 120 });

// reinvite changes the session and waits for the other side's consent.
async function reinvite(hold) {
  let done = "";
  session.sessionDescriptionHandlerOptionsReInvite = { hold };
  await session.invite({
    sessionDescriptionHandlerOptions: { ...options.sessionDescriptionHandlerOptions, hold },
    requestDelegate: { onAccept: () => (done = "yes"), onReject: (r) => (done = `refused: ${r.message.statusCode}`) },
  });
  if ((await until("an answer to the re-INVITE", () => done)) !== "yes") throw new Error(done);
  session.sessionDescriptionHandler.enableSenderTracks(!hold); // as its SessionManager does
  return true;
}

// refer resolves to the outcome of a transfer: "200", or "failed: CODE".
const refer = (from, to) =>
  new Promise((ok) => {
    const onNotify = (notification) => {
      notification.accept();
      const code = Number(notification.request.body.split(" ")[1]);
      if (code >= 200) ok(code < 300 ? "200" : `failed: ${code}`);
    };
    from.refer(to, { onNotify, requestDelegate: { onReject: () => ok("failed: REFER") } });
  });

window.phone = {
  connect: () => ua.start().then(() => "open", () => "refused"),
  register: async () => {
    let refused = "";
    await ua.start();
    await registerer.register({ requestDelegate: { onReject: (r) => (refused = `failed: ${r.message.statusCode}`) } });
    return until("an answer to REGISTER", () => refused || (registerer.state === RegistererState.Registered && "yes"));
  },
  unregister: async () => {
    await registerer.unregister();
    return until("an answer to REGISTER", () => registerer.state === RegistererState.Unregistered);
  },
  call: (to) => {
    session = new Inviter(ua, target(to), options);
    return session.invite().then(() => true);
  },
  rings: () => until("a call", () => session?.state === SessionState.Initial && session.remoteIdentity.uri.user),
  answer: () => session.accept(options).then(() => true),
  up: () => until("the call to be up", () => session?.state === SessionState.Established),
  keys: async (keys, how) => {
    if (how !== "info") return session.sessionDescriptionHandler.sendDtmf(keys, { duration: 100, interToneGap: 100 });
    for (const key of keys) {
      const body = { contentDisposition: "render", contentType: "application/dtmf-relay", content: `Signal=${key}\r\nDuration=160` };
      await session.info({ requestOptions: { body } });
    }
    return true;
  },
  hold: () => reinvite(true),
  resume: () => reinvite(false),
  // consult calls somebody while the first call is on hold; attend joins the two others; transfer sends the other one away.
  consult: (to) => {
    held = session;
    early = null;
    session = new Inviter(ua, target(to), options);
    return session.invite({ requestDelegate: { onProgress: (r) => (early = r.message) } }).then(() => true);
  },
  // attendEarly joins the two others while the target rings. The library itself does so after the answer only.
  attendEarly: async (to) => {
    await until("it to ring", () => early?.statusCode === 180);
    const replaces = encodeURIComponent(`${early.callId};to-tag=${early.toTag};from-tag=${early.fromTag}`);
    pending = new Promise((ok) => {
      const onNotify = (notification) => {
        notification.accept();
        const code = Number(notification.request.body.split(" ")[1]);
        if (code >= 200) ok(code < 300 ? "200" : `failed: ${code}`);
      };
      held._refer(onNotify, { onReject: () => ok("failed: REFER") }, { extraHeaders: held.referExtraHeaders(`<${target(to)}?Replaces=${replaces}>`) });
    });
    return true;
  },
  attended: () => pending,
  attend: () => refer(held, session),
  transfer: (to) => refer(session, target(to)),
  hangup: () => session.bye().then(() => true),
  over: () => until("the call to be over", () => session.state === SessionState.Terminated),
};
