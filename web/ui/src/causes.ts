// Why a call did not come about or ended, in plain words, from SIP's codes.

const byCode: Record<number, string> = {
  400: 'The server did not understand the call',
  401: 'The phone is not signed in',
  403: 'This call is not allowed',
  404: 'This number does not exist',
  408: 'No answer',
  410: 'This number is no longer in use',
  480: 'No answer',
  484: 'This number is not complete',
  486: 'Busy',
  487: 'Cancelled',
  488: 'The two phones have no codec in common',
  500: 'Something failed on our side',
  502: 'The carrier failed',
  503: 'No line is free right now',
  504: 'The carrier does not answer',
  600: 'Busy',
  603: 'Declined',
  604: 'This number does not exist',
}

// codeText says what a final SIP status means to a caller, '' when there is nothing to say.
export function codeText(code: number): string {
  return byCode[code] ?? ''
}

// causeText is what to say at the end of a call. reason is the Reason header's text (RFC 3326), which tells more than the code.
export function causeText(code: number | undefined, cause: string, reason: string): string {
  if (/elsewhere/i.test(reason)) return 'Answered on another phone'
  if (code && byCode[code]) return byCode[code]
  switch (cause) {
    case 'Terminated':
      return 'Call ended'
    case 'Canceled':
      return 'The caller gave up'
    case 'Rejected':
      return 'Declined'
    case 'Request Timeout':
    case 'No Answer':
    case 'Expires':
      return 'No answer'
    case 'Connection Error':
      return 'The connection to the server was lost'
    case 'RTP Timeout':
    case 'WebRTC Error':
      return 'The audio connection failed'
    case 'User Denied Media Access':
      return 'The microphone was not allowed'
    default:
      return code && code >= 500 ? 'The network failed' : cause || 'Call ended'
  }
}

// reasonHeader takes the text out of a Reason header: SIP;cause=200;text="Call completed elsewhere".
export function reasonHeader(value: string | undefined): string {
  return /text="?([^";]*)"?/i.exec(value ?? '')?.[1] ?? ''
}

// microphoneText explains why there is no microphone, and what to do about it.
export function microphoneText(err: unknown): string {
  const name = err instanceof Error ? err.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'The browser may not use the microphone. Allow it for this site (the icon beside the address), then call again.'
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'No microphone was found. Plug one in or switch it on, then call again.'
    case 'NotReadableError':
    case 'AbortError':
      return 'The microphone does not work: perhaps another program holds it. Close that program, then call again.'
    case 'InsecureContext':
      return 'Browsers give a page the microphone only over HTTPS or on localhost. Open this page by its https:// address.'
    default:
      return `The microphone could not be opened${err instanceof Error && err.message ? `: ${err.message}` : ''}.`
  }
}
