import { describe, expect, it } from 'vitest'
import { ago, between, clock, dialable, initials, prettyNumber, shownNumber } from './format'

describe('dialable', () => {
  it.each([
    ['+1 (202) 555-0001', '+12025550001'],
    ['202.555.0001', '2025550001'],
    ['tel:+44 20 7946 0000', '+442079460000'],
    ['sip:201@office.example', '201'],
    [' 201 ', '201'],
    ['*97', '*97'],
    ['1-800-FLOWERS', '18003569377'],
    ['+1‑202‑555‑0001', '+12025550001'], // typographic hyphens, as pasted from documents
    ['ann', ''],
    ['', ''],
    ['+', ''],
    ['20+1', ''],
    ['<script>', ''],
  ])('%s → %s', (text, want) => expect(dialable(text)).toBe(want))
})

describe('numbers', () => {
  it.each([
    ['+12025550001', '(202) 555-0001'],
    ['+442079460000', '+442079460000'],
    ['201', '201'],
    ['anonymous', 'Number withheld'],
    [undefined, ''],
  ])('%s is written %s', (n, want) => expect(prettyNumber(n)).toBe(want))

  it('does not show user ids as numbers', () => {
    expect(shownNumber('bob')).toBe('')
    expect(shownNumber('201')).toBe('201')
  })
})

describe('times', () => {
  it.each([
    [0, '0:00'],
    [7.9, '0:07'],
    [725, '12:05'],
    [3723, '1:02:03'],
    [-5, '0:00'],
  ])('%s s is %s', (s, want) => expect(clock(s)).toBe(want))

  it('measures between two times', () => {
    expect(between('2026-03-01T10:00:00Z', '2026-03-01T10:00:01.5Z')).toBe(1.5)
    expect(between('2026-03-01T10:00:00Z', undefined)).toBe(0)
    expect(between('2026-03-01T10:00:01Z', '2026-03-01T10:00:00Z')).toBe(0)
  })

  it.each([
    [new Date(2026, 2, 10, 14, 59, 50), 'now'],
    [new Date(2026, 2, 10, 14, 55), '5 min ago'],
    [new Date(2026, 2, 10, 9, 5), '9:05 AM'],
    [new Date(2026, 2, 9, 23, 5), 'Yesterday 11:05 PM'],
    [new Date(2026, 1, 3, 8, 0), 'Feb 3, 8:00 AM'],
    [new Date(2025, 1, 3, 8, 0), 'Feb 3, 2025, 8:00 AM'],
  ])('%s was %s', (then, want) => {
    const text = ago(then.toISOString(), new Date(2026, 2, 10, 15, 0), 'en-US')
    expect(text.replace(/\u202f/g, ' ')).toBe(want)
  })
})

it('takes initials of names, not of numbers', () => {
  expect(initials('Dee Poe')).toBe('DP')
  expect(initials('Élodie de la Cour')).toBe('ÉC')
  expect(initials('Plato')).toBe('P')
  expect(initials('(202) 555-0001')).toBe('')
})
