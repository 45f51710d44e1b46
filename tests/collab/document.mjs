// One document as an editor holds it: CodeMirror's state with its collaboration extension, and beside it
// the text that the server has at the version up to which both are in step. The second one is what
// hashes are held against, and what shows whether the extension and the server count alike.
//
// Updates are received one at a time (rule R3): the batch that the extension's documentation shows leads
// to different texts.
import {ChangeSet, EditorState, Text} from "@codemirror/state"
import {collab, getSyncedVersion, receiveUpdates, sendableUpdates} from "@codemirror/collab"

import {hashOf} from "./crc32c.mjs"
import {difference} from "./random.mjs"

const OWN = "own", FOREIGN = "foreign"

const lines = string => Text.of(string.split("\n"))

function stateOf(doc, version) {
  return EditorState.create({doc, extensions: collab({startVersion: version, clientID: OWN})})
}

export class Document {
  constructor({epoch, content, version, last_seq}) {
    this.epoch = epoch
    this.base = lines(content)
    this.state = stateOf(this.base, version)
    this.confirmed = last_seq // the seq of our last update that is known to be the server's
  }

  get version() { return getSyncedVersion(this.state) }
  get pending() { return sendableUpdates(this.state) }
  text() { return this.state.doc.toString() }

  /** What somebody types: {from, to, insert} or a list of them. */
  edit(changes) {
    for (const one of [].concat(changes)) if (one.insert) one.insert = lines(one.insert)
    this.state = this.state.update({changes}).state
  }

  /** An update of somebody else, as it stands on the wire. Throws when it does not fit. */
  receive(changes) {
    const set = ChangeSet.fromJSON(changes)
    this.base = set.apply(this.base)
    this.state = receiveUpdates(this.state, [{changes: set, clientID: FOREIGN}]).state
  }

  /** Our oldest pending update has become the server's next one. */
  confirm() {
    const changes = this.pending[0].changes
    this.base = changes.apply(this.base)
    this.state = receiveUpdates(this.state, [{changes, clientID: OWN}]).state
    this.confirmed++
  }

  /** The same, and it came along: false when the server's form of it has another effect than ours. */
  confirmAs(changes) {
    const theirs = ChangeSet.fromJSON(changes).apply(this.base)
    this.confirm()
    return theirs.eq(this.base)
  }

  /** The updates of the next push: at most `limit`. */
  updates(limit) {
    return this.pending.slice(0, limit).map(({changes}, at) =>
      ({seq: this.confirmed + 1 + at, changes: changes.toJSON()}))
  }

  /** The server's text is `content` now, whatever came between; what is pending is kept. */
  replace({epoch, content, version, last_seq}) {
    let pending = this.pending
    if (epoch == this.epoch) {
      const arrived = Math.min(pending.length, Math.max(0, last_seq - this.confirmed))
      for (const {changes} of pending.slice(0, arrived)) this.base = changes.apply(this.base)
      pending = pending.slice(arrived)
    }
    const change = difference(this.base.toString(), content)
    let between = ChangeSet.of({...change, insert: lines(change.insert)}, this.base.length)
    this.base = lines(content)
    this.state = stateOf(this.base, version)
    for (const {changes} of pending) {
      this.state = this.state.update({changes: changes.map(between)}).state
      between = between.map(changes, true)
    }
    this.epoch = epoch
    this.confirmed = last_seq
  }

  hash() { return hashOf(this.base.toString()) }

  /** Whether the server's text with our pending updates on top is what the editor shows. */
  isWhole() {
    return this.pending.reduce((text, {changes}) => changes.apply(text), this.base).eq(this.state.doc)
  }
}
