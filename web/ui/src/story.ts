// What happened in a call, in plain words: the record's lines, with names for ids and numbers.

import { prettyNumber } from './format'
import { reasonText, services, stepName, type Names } from './why'

const moves: Record<string, string> = {
  transfer: 'it was transferred',
  replaces: 'it was taken over',
  pickup: 'it was picked up',
  retrieve: 'it was taken from where it was parked',
  conference: 'a conference',
  merge: 'the calls were merged',
}

const uuid = '[0-9a-f]{8}-[0-9a-f-]{27}'
const how = (h: string) => moves[h] ?? h

const rewrites: [RegExp, (m: RegExpExecArray) => string][] = [
  [/^stage (\d+): (\w+) \((.+)\)$/, (m) => `Stage ${m[1]}: ${stepName(m[2]!)} (${reasonText(m[3]!)})`],
  [/^rings \S+ (?:at|over) \S+$/, () => 'is rung'],
  [new RegExp(`^moves to call ${uuid}: (\\w+)$`), (m) => `goes on in another call: ${how(m[1]!)}`],
  [new RegExp(`^went on in call ${uuid} \\((\\w+)\\)$`), (m) => `went on in another call: ${how(m[1]!)}`],
  [new RegExp(`^ended by \\w+: went on in call ${uuid} \\((\\w+)\\)$`), () => 'this call is over'],
  [new RegExp(`^comes from call ${uuid} \\((\\w+)\\), in the place of (.*)$`), (m) => `comes from another call, in the place of ${m[2]}: ${how(m[1]!)}`],
  [/^\S+ enters the conference$/, () => 'enters the conference'],
  [/^\S+ left$/, () => 'leaves the conference'],
  [/^(ended by us: )?the service ([\w-]+) ended the call$/, (m) => `${m[1] ?? ''}${services[m[2]!] ?? m[2]}: done`],
  [/^(.*) is done: with the service ([\w-]+)$/, (m) => `${m[1]} is done: ${services[m[2]!] ?? m[2]}`],
  [/^service voicemail(?:-any)? (\S+)$/, (m) => `Dialled: mailbox of ${m[1]}`],
  [/^service ([\w-]+) ?(.*)$/, (m) => `Dialled: ${services[m[1]!] ?? m[1]} ${m[2]}`.trim()],
  [/^recorded (\d+) s \(stopped\)$/, (m) => `recorded ${m[1]} s`],
]

// storyText is a line of a call's story in plain words.
export function storyText(what: string, names: Names): string {
  for (const [pattern, words] of rewrites) {
    const m = pattern.exec(what)
    if (m) return named(words(m), names)
  }
  return named(what, names)
}

// named puts names for user ids and extensions where the story names a party, and writes numbers as people do.
function named(text: string, names: Names): string {
  return text
    .replace(new RegExp(`call ${uuid}`, 'g'), 'another call')
    .replace(/\b(by|to|of|in the place of|rings|transfers|room) ([\w.-]*\w)/g, (all: string, word: string, id: string) => {
      const name = /^\d+$/.test(id) ? names.number(id) : names.user(id)
      return name === id ? all : `${word} ${name}`
    })
    .replace(/\+\d{7,15}/g, (n) => names.number(n) || prettyNumber(n))
}
