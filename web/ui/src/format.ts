// Numbers, times and lengths, in words for people.

// prettyNumber groups a North American number as people there write it; every other one stays as it is.
export function prettyNumber(number: string | undefined): string {
  if (!number) return ''
  if (number === 'anonymous') return 'Number withheld'
  const na = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number)
  return na ? `(${na[1]}) ${na[2]}-${na[3]}` : number
}

// shownNumber is prettyNumber for what is a number at all: an inside caller may come with a user id instead.
export function shownNumber(number: string | undefined): string {
  return /^\+?[\d*#]+$|^anonymous$/.test(number ?? '') ? prettyNumber(number) : ''
}

// clock is a length as 0:07, 12:05 or 1:02:03.
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

// between is the length between two times of the API; 0 when one is missing.
export function between(from: string | undefined, to: string | undefined): number {
  if (!from || !to) return 0
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)
}

// ago says when something was: "now", "5 min ago", a time of today, "Yesterday 14:05", or a date.
export function ago(at: string, now: Date, locale?: string): string {
  const then = new Date(at)
  const seconds = (now.getTime() - then.getTime()) / 1000
  if (seconds < 45) return 'now'
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  const time = then.toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' })
  const days = dayNumber(now) - dayNumber(then)
  if (days === 0) return time
  if (days === 1) return `Yesterday ${time}`
  const year = then.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const }
  return `${then.toLocaleDateString(locale, { day: 'numeric', month: 'short', ...year })}, ${time}`
}

function dayNumber(d: Date): number {
  return Math.floor((d.getTime() - d.getTimezoneOffset() * 60_000) / 86_400_000)
}

// initials of a name, for the round picture that stands for a person.
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((w) => /^\p{L}/u.test(w))
  const first = words[0]
  const last = words.length > 1 ? words[words.length - 1] : undefined
  return [first, last].map((w) => (w ? [...w][0]!.toUpperCase() : '')).join('')
}

const letterKeys = ['ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ']

// keyOf is the telephone key that carries a letter (ITU-T E.161).
function keyOf(letter: string): string {
  const i = letterKeys.findIndex((l) => l.includes(letter.toUpperCase()))
  return i < 0 ? '' : String(i + 2)
}

// dialable makes what somebody typed or pasted into what is sent: separators go, letters of a number such as
// 1-800-FLOWERS become keys. Text that names a person rather than a number is not dialable: ''.
export function dialable(text: string): string {
  const bare = text.trim().replace(/^(tel|sip):/i, '').replace(/@.*$/, '').replace(/[\s().\-/\u00a0\u2010-\u2015]/g, '')
  if (/^\+?[0-9*#]+$/.test(bare)) return bare
  if (/^\+?[0-9][0-9a-z]+$/i.test(bare)) return bare.replace(/[a-z]/gi, keyOf)
  return ''
}
