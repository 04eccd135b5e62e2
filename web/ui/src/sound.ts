// The sounds that the page makes itself: ringing when a call comes in, ringback while one goes out, and keys.

let context: AudioContext | undefined

function audio(): AudioContext | undefined {
  try {
    context ??= new AudioContext()
    if (context.state === 'suspended') void context.resume().catch(() => undefined)
    return context
  } catch {
    return undefined // no audio hardware: the page still works
  }
}

// unlock lets the page make sounds later: browsers allow it only after somebody has touched the page.
export function unlock(): void {
  audio()
}

// Pattern is which tones sound together, and when, within a period of seconds.
interface Pattern {
  tones: number[]
  bursts: [start: number, length: number][]
  period: number
  gain: number
}

const ring: Pattern = { tones: [523.25, 659.25], bursts: [[0, 0.35], [0.45, 0.35], [0.9, 0.35]], period: 3, gain: 0.09 }
const ringback: Pattern = { tones: [440, 480], bursts: [[0, 2]], period: 6, gain: 0.04 }

export type Stop = () => void

export const playRing = (): Stop => repeat(ring)
export const playRingback = (): Stop => repeat(ringback)

function repeat(p: Pattern): Stop {
  const ctx = audio()
  if (!ctx) return () => undefined
  const out = ctx.createGain()
  out.connect(ctx.destination)
  const once = () => {
    if (ctx.state === 'running') p.bursts.forEach(([start, length]) => burst(ctx, out, p, ctx.currentTime + 0.02 + start, length))
  }
  once()
  const timer = setInterval(once, p.period * 1000)
  return () => {
    clearInterval(timer)
    out.disconnect()
  }
}

function burst(ctx: AudioContext, out: AudioNode, p: Pattern, at: number, length: number): void {
  const gain = ctx.createGain()
  gain.gain.setValueAtTime(0, at)
  gain.gain.linearRampToValueAtTime(p.gain, at + 0.02)
  gain.gain.setValueAtTime(p.gain, at + length - 0.03)
  gain.gain.linearRampToValueAtTime(0, at + length)
  gain.connect(out)
  for (const hz of p.tones) {
    const osc = ctx.createOscillator()
    osc.frequency.value = hz
    osc.connect(gain)
    osc.start(at)
    osc.stop(at + length)
  }
}

const rows = [697, 770, 852, 941]
const columns = [1209, 1336, 1477]

// playKey sounds a key's two tones (ITU-T Q.23), softly, so that pressing it feels like something.
export function playKey(key: string): void {
  const i = '123456789*0#'.indexOf(key)
  const ctx = audio()
  if (i < 0 || !ctx || ctx.state !== 'running') return
  burst(ctx, ctx.destination, { tones: [rows[Math.floor(i / 3)]!, columns[i % 3]!], bursts: [], period: 0, gain: 0.03 }, ctx.currentTime, 0.12)
}
