// Words in the reader's language. Elements made with `t` attributes (dom.ts) change with it; whoever makes
// texts otherwise listens to the settings.
import {settings} from "./settings"
import {WORDS} from "./words"
import type {WordKey} from "./words"

export type {WordKey} from "./words"
export type Values = Record<string, string | number>

export function t(key: WordKey, values: Values = {}): string {
  const [english, korean] = WORDS[key]
  const words: string = settings.current.language == "ko" ? korean : english
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** "{n} edits", where one of something has a form of its own. */
export function count(key: WordKey, one: WordKey, n: number): string { return t(n == 1 ? one : key, {n}) }

/** What a server's refusal means to the reader; its own sentence when we have none. */
export function sayError(code: string, message: string): string {
  const key = `error_${code}`
  return key in WORDS ? t(key as WordKey) : message
}

const number = (value: number, digits: number) =>
  value.toLocaleString(settings.current.language, {minimumFractionDigits: digits, maximumFractionDigits: digits})

export function seconds(value: number): string {
  return value < 1 ? `${number(value * 1000, 0)} ms` : `${number(value, 2)} s`
}

export function bytes(value: number): string {
  const mebibytes = value / (1 << 20)
  return mebibytes < 1 ? `${number(value / 1024, 0)} KiB` : `${number(mebibytes, mebibytes < 10 ? 1 : 0)} MiB`
}

export function clock(time: string | number): string {
  return new Date(time).toLocaleTimeString(settings.current.language, {hour: "2-digit", minute: "2-digit"})
}
