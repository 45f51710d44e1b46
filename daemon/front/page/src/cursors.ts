// Where the others are in the shown file: carets with names, selections. Positions follow the edits until
// the next word about them comes.
import {StateEffect, StateField} from "@codemirror/state"
import type {Extension, Range} from "@codemirror/state"
import {Decoration, EditorView, WidgetType} from "@codemirror/view"

export const COLORS = 8
const NAME_SHOWN_MS = 2500

export interface RemoteCursor {
  connectionId: string
  name: string
  color: number
  ranges: {anchor: number, head: number}[]
  at: number // when it moved
}

/** What is known of the others now: replaces what was known of them before. */
export const showCursor = StateEffect.define<RemoteCursor>()
export const hideCursors = StateEffect.define<(connectionId: string) => boolean>()

class Caret extends WidgetType {
  constructor(readonly cursor: RemoteCursor, readonly isFresh: boolean) { super() }

  override eq(other: Caret): boolean {
    return other.cursor.name == this.cursor.name && other.cursor.color == this.cursor.color &&
      other.cursor.at == this.cursor.at && other.isFresh == this.isFresh
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span")
    caret.className = `remote-caret person-${this.cursor.color % COLORS}${this.isFresh ? " is-fresh" : ""}`
    caret.setAttribute("aria-hidden", "true")
    const name = document.createElement("span")
    name.className = "remote-name"
    name.textContent = this.cursor.name
    caret.append("\u2060", name, "\u2060")
    return caret
  }

  override ignoreEvent(): boolean { return true }
  override get estimatedHeight(): number { return -1 }
}

const field = StateField.define<ReadonlyMap<string, RemoteCursor>>({
  create: () => new Map(),
  update(cursors, transaction) {
    let next = cursors
    if (transaction.docChanged && cursors.size) {
      const {changes} = transaction
      next = new Map([...cursors].map(([id, cursor]) => [id, {...cursor, ranges: cursor.ranges.map(range =>
        ({anchor: changes.mapPos(range.anchor, 1), head: changes.mapPos(range.head, 1)}))}]))
    }
    for (const effect of transaction.effects) {
      if (effect.is(showCursor)) next = new Map(next).set(effect.value.connectionId, effect.value)
      if (effect.is(hideCursors)) next = new Map([...next].filter(([id]) => !effect.value(id)))
    }
    return next
  },
  provide: self => EditorView.decorations.from(self, cursors => view => {
    const marks: Range<Decoration>[] = []
    const {length} = view.state.doc, now = Date.now()
    for (const cursor of cursors.values()) {
      for (const {anchor, head} of cursor.ranges) {
        const from = Math.min(anchor, head, length), to = Math.min(Math.max(anchor, head), length)
        if (from < to)
          marks.push(Decoration.mark({class: `remote-selection person-${cursor.color % COLORS}`}).range(from, to))
        marks.push(Decoration.widget({widget: new Caret(cursor, now - cursor.at < NAME_SHOWN_MS), side: 1})
          .range(Math.min(head, length)))
      }
    }
    return Decoration.set(marks, true)
  }),
})

export function remoteCursors(): Extension { return field }
export { field as remoteCursorField }
